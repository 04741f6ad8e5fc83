/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_TREE_H
#define RUNNER_TREE_H

#include <sys/types.h>

/* Signals every descendant of the process root, not root itself, and returns how
 * many. A process that forks at that moment may be missed: call again whenever a
 * child ended, until there is none. */
unsigned tree_signal(pid_t root, int number);

#endif
