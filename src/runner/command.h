/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_COMMAND_H
#define RUNNER_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "ipc/message.h"
#include "runner/command_place.h"

/* The command line that starts an app through perigee-exec. */

enum {
	COMMAND_ARGS_MAX = 768,
	COMMAND_WORDS_MAX = 64, /* of an app's own argv */
	COMMAND_ENV_MAX = 128,
	COMMAND_KEPT_MAX = 16384,
};

struct command {
	const char *args[COMMAND_ARGS_MAX]; /* NULL-terminated, borrows from the rest */
	size_t n_args;
	char program[PATH_MAX];
	char home_env[300], uid[16], gid[16];
	char homes[256], runtimes[128]; /* the folders around home and runtime */
	struct ipc_message start;       /* the copies whose strings are borrowed */
	struct ipc_message plan;
	char kept[COMMAND_KEPT_MAX]; /* what command_keep() made */
	size_t kept_len;
	bool overflow; /* a word did not fit */
};

/* Builds the command of a RUNNER_START with its plan, whose type is RUNNER_PROCESS or
 * RUNNER_SANDBOX: who asks has settled RUNNER_AUTO. -EBADMSG for strings that do not end;
 * -E2BIG for too many; -EINVAL for a mount that is none; -ENOENT when the program is not
 * there: out->program is its name. */
int command_build(const struct ipc_message *start, const struct ipc_message *plan,
		const struct command_place *place, struct command *out) NODISCARD;

/* For sandbox.c: adds a borrowed word; makes one that lives as long as the command. */
void command_add(struct command *command, const char *word);
const char *command_keep(struct command *command, const char *format, ...)
		__attribute__((format(printf, 2, 3)));

#endif
