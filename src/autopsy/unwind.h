/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_UNWIND_H
#define AUTOPSY_UNWIND_H

#include <stdio.h>

struct target;

/* The innermost function of ours in the main thread, for the summary. */
struct unwind_place {
	char text[200]; /* "" when there is none */
};

/* Writes every thread's backtrace with symbols, and source lines where there is debug
 * information. Opens the programs' files; nothing of the process is run. */
void unwind_write(const struct target *target, FILE *file, struct unwind_place *out_place);

#endif
