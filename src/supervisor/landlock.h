/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LANDLOCK_H
#define SUPERVISOR_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

/* A Landlock domain for an app (kernel documentation userspace-api/landlock):
 * an allow-list of file hierarchies. What a distribution installs may be read
 * and executed, /tmp, /var/tmp and the devices may be written, and of all the
 * rest only the folders given here exist: other homes, the state folder and other
 * sessions' runtime folders are closed. From ABI 6 on a process inside cannot
 * signal one outside either. */

enum {
	LANDLOCK_FOLDERS_MAX = 16,
	LANDLOCK_ENTRIES_MAX = 64,
};

struct landlock_entry {
	const char *path; /* borrowed; a pattern of glob(3); missing ones are skipped */
	unsigned access;  /* enum confine_access */
};

struct landlock_plan {
	const char *write[LANDLOCK_FOLDERS_MAX];  /* borrowed: everything below is allowed */
	const char *read[LANDLOCK_FOLDERS_MAX];   /* borrowed: read and execute */
	const char *closed[LANDLOCK_FOLDERS_MAX]; /* borrowed: closed though in an open one */
	size_t n_write, n_read, n_closed;
	struct landlock_entry entries[LANDLOCK_ENTRIES_MAX];
	size_t n_entries;
	bool bare;           /* only what is said here, nothing of the system */
	bool no_tcp;         /* neither connects nor binds TCP (from ABI 4 on) */
	bool own_abstract;   /* no abstract Unix sockets from outside (from ABI 6 on) */
	const char *program; /* borrowed: may be executed wherever it lies */
};

/* The kernel's ABI number, 0 when it has no Landlock. */
int landlock_abi(void);

/* Makes the rules; *out is a ruleset to be passed to landlock_enter(), also after
 * privileges were dropped. A folder of the fixed list that is missing is skipped;
 * one of the plan's is -errno. -ENOTSUP without Landlock. */
int landlock_prepare(const struct landlock_plan *plan, int *out) NODISCARD;

/* The same with one rule alone: no signal to whom this process has not started. It leaves
 * files as they are, so that mounts can still be made. -ENOTSUP before ABI 6. */
int landlock_prepare_signals(int *out) NODISCARD;

/* Confines this thread and its descendants for good. Needs no_new_privs. */
int landlock_enter(int ruleset) NODISCARD;

#endif
