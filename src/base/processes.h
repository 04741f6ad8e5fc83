/* SPDX-License-Identifier: MIT */
#ifndef BASE_PROCESSES_H
#define BASE_PROCESSES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/own.h"

/* Calls each() for every process that /proc shows, but for the caller and its parent. One that is
 * forked meanwhile may be missed. -errno when /proc cannot be read. */
int processes_each(void (*each)(pid_t pid, void *user), void *user) NODISCARD;

/* Sends a signal to every process that was started with this variable, but ours; returns to
 * how many. */
unsigned processes_signal(const char *variable, int number);

/* SIGKILL to all of these; then waits until they are gone, but not longer than wait_ms. */
unsigned processes_end(const char *variable, unsigned wait_ms);

/* Whether the process was started with this variable ("NAME=VALUE") in its environment.
 * False also where the kernel does not let us look. To be sure that the number still means
 * the same process afterwards, open a pidfd before. */
bool process_has_variable(pid_t pid, const char *variable);

#endif
