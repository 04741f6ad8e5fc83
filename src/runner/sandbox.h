/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_SANDBOX_H
#define RUNNER_SANDBOX_H

#include <stddef.h>

#include "base/own.h"

struct command;
struct command_place;
struct ipc_message;

/* An app in a bubblewrap sandbox: a mount namespace with the system to read, its home and
 * its session's folder to write, and nothing else of the machine; process, IPC and, unless
 * it may use it, network namespaces of its own. */

#define SANDBOX_PROGRAM "/usr/bin/bwrap"

enum {
	SANDBOX_TRY_MS = 2000,
};

/* Makes a sandbox with nothing in it, which takes some 10 ms and SANDBOX_TRY_MS at the
 * most. On failure out_why says why none can be made here. */
int sandbox_try(char *out_why, size_t size) NODISCARD;

/* Adds bubblewrap's command line up to its "--"; the program follows. -EINVAL for a mount
 * that is not HOST:INSIDE[:ro|rw] with absolute paths, -E2BIG for too many words. */
int sandbox_add(struct command *command, const struct ipc_message *plan,
		const struct command_place *place) NODISCARD;

#endif
