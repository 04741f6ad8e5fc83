/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CGROUP_H
#define SUPERVISOR_CGROUP_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* A control group for each session, so that one cannot take the processor, the memory or
 * the process numbers of the others; cgroups(7), version 1 and 2. Where neither can be
 * written, sessions go without, and `missing` says why. Not a process of its own: the
 * supervisor makes and removes the groups, perigee-exec enters them. */

enum {
	CGROUP_PATH_MAX = 512,
	CGROUP_LEFT_S = 60,
	CGROUP_MOUNTS_MAX = 3, /* version 1 has one for each controller */
};

enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_CONTROLLERS,
};

struct cgroup_limits {
	uint32_t cpu_weight; /* 100 is everybody's */
	uint64_t memory;     /* bytes, 0: none */
	uint32_t processes;  /* with threads, 0: none */
};

struct cgroups {
	int version; /* 1, 2; 0: there are none */
	/* Our folder: by controller in version 1, the first one in version 2; "" without. */
	char base[CGROUP_CONTROLLERS][CGROUP_PATH_MAX];
	int claim[CGROUP_CONTROLLERS]; /* owned: the folders, locked; -1 for none */
	char missing[200];             /* for a person: why there are none or not all, "" */
};

/* Finds where this process may make groups and makes the folder `name` there. `root` is
 * put before every path, "" but in tests. Never fails: out->version tells. Folders of
 * others that are named like ours but for a number, that nobody has locked (theirs was
 * killed) or changed for a minute, are removed if they are empty. */
void cgroups_open(const char *root, const char *name, struct cgroups *out);

/* The group of one session with its limits. What a kernel does not have is left out.
 * -errno when no group could be made. */
int cgroup_create(const struct cgroups *cgroups, uint64_t session,
		const struct cgroup_limits *limits) NODISCARD;

/* The folder of a session's group for a controller; false when there is none. In version
 * 2 only CGROUP_CPU has one. */
bool cgroup_path(const struct cgroups *cgroups, uint64_t session, enum cgroup_controller controller,
		char *out, size_t size);

/* SIGKILL to everybody in groups of sessions that keep() does not say are alive; how many
 * there were. */
unsigned cgroups_kill(const struct cgroups *cgroups, bool (*keep)(void *user, uint64_t session),
		void *user);

/* Removes every group that is empty, but of the sessions that keep() says are alive. Who
 * dies slowly is met by a later call. */
void cgroups_sweep(const struct cgroups *cgroups, bool (*keep)(void *user, uint64_t session),
		void *user);

/* Ends who is left in any group, waits until they are gone (a second at most), then removes the
 * groups and the folder itself. */
void cgroups_close(struct cgroups *cgroups);

/* For perigee-exec: this process enters the group of a folder. */
int cgroup_enter(const char *folder) NODISCARD;

#endif
