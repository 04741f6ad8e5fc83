/* SPDX-License-Identifier: MIT */
#ifndef IPC_CALL_NAMES_H
#define IPC_CALL_NAMES_H

#include <stddef.h>

/* The kernel's names of this architecture's system calls, by number; made by
 * tools/list_calls.py from the compiler's headers. NULL for numbers without one. */
extern const char *const call_names[];
extern const size_t call_names_count;

#endif
