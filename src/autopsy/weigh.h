/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_WEIGH_H
#define AUTOPSY_WEIGH_H

#include <stdint.h>

/* What processes take: PSS, as the kernel counts it. Reading it locks a process' memory map,
 * and waits for one that holds that lock: so this is no supervisor's, and may be killed. */

/* Fills in the rows of WEIGHT_FD (ipc/weight.h). Zero, or a negative errno. */
int weigh_all(int fd);

/* The "Pss:" of smaps_rollup in bytes; 0 when there is none. */
uint64_t weigh_read(const char *text);

#endif
