/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_LINES_H
#define AUTOPSY_LINES_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	LINES_KEPT = 200,
};

/* Copies the last LINES_KEPT lines of what fd holds; with pid only lines that say
 * pid=PID. Reads the last megabytes of it at most. Returns how many. */
size_t lines_copy(int fd, pid_t pid, FILE *out);

#endif
