/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VEIL_H
#define SUPERVISOR_VEIL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

/* A view of the file system for one process (mount_namespaces(7)) in which Perigee's own
 * folders are empty but for what belongs to its session. Landlock closes files; a Unix
 * socket that somebody can name it does not close, and neither of two apps of one user
 * may reach the other's. */

enum {
	VEIL_FOLDERS_MAX = 8,
};

struct veil {
	const char *hide[VEIL_FOLDERS_MAX]; /* borrowed: folders that look empty, NULL-terminated */
	const char *fresh; /* borrowed: one that looks empty and that everybody may fill, or NULL */
	const char *keep[VEIL_FOLDERS_MAX];    /* borrowed: what stays although in one of those */
	const char *sockets[VEIL_FOLDERS_MAX]; /* borrowed: sockets that nobody shall reach */
	bool no_network; /* and a network of its own, with nothing in it: abstract sockets too */
};

/* Enters a namespace of its own with that view. Root does; who is not tries by a user
 * namespace in which it is the user it was. -EPERM where neither is allowed: then all is
 * as it was. Needs to be single-threaded. */
int veil_enter(const struct veil *veil) NODISCARD;

/* 0 when veil_enter() would work here, for root with a network of its own, tried in a
 * child process; else -errno. */
int veil_try(void) NODISCARD;

#endif
