/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_EXEC_OPTIONS_H
#define SUPERVISOR_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/cgroup.h"
#include "supervisor/confine.h"
#include "supervisor/landlock.h"
#include "supervisor/veil.h"

/* What perigee-exec is told on its command line. For that program only: it ends the
 * process on what it does not understand. */

enum {
	EXIT_UNKNOWN = 125, /* nobody has learned that it was about to run */
	EXIT_CANNOT = 126,
	EXIT_MISSING = 127,
	ENV_MAX = 256,
	FIRST_FD = 3, /* the channel, the first listening socket, or the gate */
};

#define UNSET INT64_MIN

struct options {
	int64_t uid, gid, nofile, listen_fds, nice, program_fd; /* UNSET when not given */
	bool setsid, env_clear, die_with_parent, realtime, prompt, may_gain, print_table, gate;
	const char *cwd, *kind;
	const char *settles;          /* what the worker's environment says of it */
	const char *env[ENV_MAX + 4]; /* with LISTEN_PID, LISTEN_FDS, SETTLE_ENV and the end */
	size_t n_env;
	struct landlock_plan landlock;
	struct confine_places places;
	const char *hide[VEIL_FOLDERS_MAX]; /* what looks empty to it */
	size_t n_hide;
	const char *cgroups[CGROUP_CONTROLLERS]; /* folders of groups to enter */
	size_t n_cgroups;
	char **program;   /* argv of what to become */
	const char *file; /* what to execute: argv[0], or a descriptor's path */
	char file_room[32];
};

/* Reads the words after argv[0] into `out`, which has UNSET where a number may be left
 * out; all strings are borrowed. Ends the process where something is wrong. */
void exec_parse(char **argv, struct options *out);

/* One line on stderr, and the end with that status. `error` is an errno. */
_Noreturn void exec_fail(int status, const char *step, const char *what, int error);

#endif
