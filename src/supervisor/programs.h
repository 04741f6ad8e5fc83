/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PROGRAMS_H
#define SUPERVISOR_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/config.h"

/* The programs of one installation of Perigee, kept open: who replaces or removes the
 * files does not change what runs, nor what a worker that dies is replaced by. */

enum {
	PROGRAMS_MAX = 16,
	PROGRAMS_FOLDERS_MAX = 1400,
	PROGRAMS_VERSION_MAX = 32,
	PROGRAMS_FD_FIRST = 10, /* out of the way of the numbers that a program is started with */
};

struct programs {
	uint32_t number;                    /* of the version on this host: 1 is the first */
	char version[PROGRAMS_VERSION_MAX]; /* as "0.1.0" */
	char folders[PROGRAMS_FOLDERS_MAX]; /* where the files were, colon separated */
	int fd[PROGRAMS_MAX];               /* owned, by programs_name(); -1: by its path */
	struct programs *next;
};

/* The names of our programs; NULL behind the last. */
const char *programs_name(size_t index);

/* Opens what is there. A script has no descriptor: the kernel could not start it by one.
 * -ENOENT without perigeed, perigee-exec or perigee-gate. */
int programs_open(const char *folders, struct programs *out) NODISCARD;
void programs_finish(struct programs *programs);

/* The descriptor of one of them by its name, -1 for none. Borrowed. */
int programs_fd(const struct programs *programs, const char *name);

/* The full path that it has, or had: for argv[0]. -ENOENT when it is nowhere and there is no
 * descriptor either. */
int programs_path(const struct programs *programs, const char *name, char *out,
		size_t size) NODISCARD;

/* That only root and `owner` can have written the files: their owners, and that nobody
 * else may write to them or their folders. -EPERM with words. */
int programs_check_owner(
		const struct programs *programs, uid_t owner, struct config_text *error) NODISCARD;

#endif
