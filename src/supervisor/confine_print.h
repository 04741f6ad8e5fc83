/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFINE_PRINT_H
#define SUPERVISOR_CONFINE_PRINT_H

/* Writes the table to stdout as docs/security.md shows it. */
void confine_print(void);

#endif
