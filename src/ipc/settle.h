/* SPDX-License-Identifier: MIT */
#ifndef IPC_SETTLE_H
#define IPC_SETTLE_H

#include "base/own.h"

/* The last step of a worker's confinement is its own: perigee-exec leaves it a filter
 * and a Landlock ruleset that are tighter than what becoming a program takes, and it
 * enters both when START has come, before it has read a byte of anybody else. What
 * they allow is in supervisor/confine_table.c. */

enum {
	SETTLE_FILTER_FD = 4,
	SETTLE_RULES_FD = 5,
	SETTLE_FILTER_MAX = 4096, /* instructions, the kernel's limit */
};

/* Set by perigee-exec when one of the two is there. */
#define SETTLE_ENV "PERIGEE_SETTLE"

/* Enters and closes them. 0 also when there are none. */
int settle(void) NODISCARD;

/* A refused call (SIGSYS) becomes EPERM and a line in the log that names it. */
void settle_tell_refusals(void);

#endif
