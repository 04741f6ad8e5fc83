/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/own.h"
#include "supervisor/config.h"

struct nursery;
struct programs;
struct child_spec;
struct paths;

enum {
	EXEC_CANNOT = 126,  /* perigee-exec: it could not confine itself */
	EXEC_MISSING = 127, /* there is no such program */
	SPAWN_LABEL_MAX = CONFIG_PATH_MAX + 16,
};

struct spawned {
	pid_t pid;
	int channel_fd; /* owned: our end; -1 without a channel */
	int output_fd;  /* owned: what it prints */
};

/* How one of our programs is started. */
struct spawn_way {
	char name[256]; /* argv[0]: where the file is, or was */
	char file[256]; /* what to execute */
	int fd;         /* borrowed: the same, -1 when it goes by its path */
};

/* What stands in the environment of whatever we start, and is no other host's: for the
 * sweep of a host that comes after one that was killed. False when it does not fit. */
bool spawn_label(const struct paths *paths, char *out, size_t size);

/* By a descriptor if one of these programs is it, else by its path; programs may be NULL,
 * then it is looked for in the folders. -ENOENT. */
int spawn_resolve(const struct nursery *nursery, const struct programs *programs,
		const char *program, struct spawn_way *out) NODISCARD;

/* posix_spawn of perigee-exec, which confines itself and becomes the program; both of the
 * version that `programs` are, NULL for whichever lies in the folders. */
int spawn_worker(const struct nursery *nursery, const struct programs *programs,
		const struct child_spec *spec, struct spawned *out) NODISCARD;

/* Starts perigee-log with `input` as its stdin and `console` as its stderr. It is
 * nobody's worker: it ends at the end of its input. */
int spawn_log(const struct nursery *nursery, const char *file, int input, int console) NODISCARD;

/* The full path of one of our executables; -ENOENT. */
int spawn_find(const char *libexec, const char *program, char *out, size_t size) NODISCARD;

#endif
