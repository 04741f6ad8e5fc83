/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_APP_H
#define RUNNER_APP_H

#include <sys/types.h>

#include "base/own.h"

struct command;
struct ipc_message;

/* What it takes to bring one app into the world. Each answers -errno. */

/* The app's home of a RUNNER_START, made at its first start for the user it runs as. */
int app_make_home(const struct ipc_message *start) NODISCARD;

/* The app's output: a reading end that never blocks, and a writing end that also reads, so
 * that the app does not get SIGPIPE at its next word should this process die. Both are the
 * caller's. */
int app_open_pipe(int out[2]) NODISCARD;

/* Starts perigee-exec with the command, which waits at the gate; output and gate are
 * borrowed. Blocks until it is executed. */
int app_spawn(const char *exec, const struct command *command, int output, int gate,
		pid_t *out_pid) NODISCARD;

#endif
