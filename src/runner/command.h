/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "ipc/message.h"

/* The command line that starts an app through perigee-exec. */

enum {
	COMMAND_ARGS_MAX = 256,
	COMMAND_CLOSED_MAX = 8,
	COMMAND_WORDS_MAX = 64, /* of an app's own argv */
	COMMAND_ENV_MAX = 128,
};

/* What the runner itself was started with. */
struct command_place {
	char exec[PATH_MAX];                    /* perigee-exec */
	const char *closed[COMMAND_CLOSED_MAX]; /* borrowed: folders no app may see */
	size_t n_closed;
	bool normal; /* the app keeps whatever its user may */
};

struct command {
	const char *args[COMMAND_ARGS_MAX]; /* NULL-terminated, borrows from the rest */
	size_t n_args;
	char program[PATH_MAX];
	char home_env[300], uid[16], gid[16];
	char homes[256], runtimes[128]; /* the folders around home and runtime */
	struct ipc_message start;       /* the copy whose strings are borrowed */
};

/* Builds the command of a RUNNER_START. -EBADMSG for strings that do not end or
 * are too many; -ENOENT when the program is not there: out->program is its name. */
int command_build(const struct ipc_message *start, const struct command_place *place,
		struct command *out) NODISCARD;

#endif
