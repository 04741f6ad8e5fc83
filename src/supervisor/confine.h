/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFINE_H
#define SUPERVISOR_CONFINE_H

#include <sys/types.h>

#include "base/own.h"
#include "supervisor/confine_table.h"

struct landlock_plan;

/* Applies a row of the table to this process, which is about to become a program.
 * Used by perigee-exec alone: the order of the calls is that of this header. */

/* What stands for the table's paths with @; NULL: there is none. All borrowed. */
struct confine_places {
	const char *program, *state, *runtime, *home, *app, *display;
	const char *libexec; /* a pattern of glob(3) */
};

struct confine {
	const struct confine_row *row; /* borrowed */
	int rules, rules_settled;      /* owned: Landlock rulesets, -1 for none */
	int filter, filter_settled;    /* owned: memfds with BPF programs, -1 for none */
};

/* A step that failed: its name, for a message. */
struct confine_fault {
	const char *step;
};

/* The limits but that of processes. -errno. */
int confine_limit(const struct confine_row *row, struct confine_fault *out_fault) NODISCARD;

/* Opens what the rules name, compiles the filters; the folders that `closed` lists stay
 * closed for a row that sees the system. Without Landlock or seccomp in the
 * kernel that part is left out: the supervisor has said so. */
int confine_prepare(struct confine *confine, const struct confine_places *places,
		const struct landlock_plan *closed, struct confine_fault *out_fault) NODISCARD;

/* The groups that the graphics devices belong to, at most max; needs nothing. */
size_t confine_device_groups(gid_t *out, size_t max);

/* Before the change of user: no capability can come back by executing something. */
void confine_drop_bounding(void);

/* After it: empties every capability set and forbids new processes if the row says so. */
int confine_drop(const struct confine_row *row, struct confine_fault *out_fault) NODISCARD;

/* The last thing before execve(): from here on the row holds. Leaves the descriptors
 * of ipc/settle.h open for the worker; *out_settles is what its environment must say of
 * them, NULL when there are none. */
int confine_enter(struct confine *confine, const char **out_settles,
		struct confine_fault *out_fault) NODISCARD;

#endif
