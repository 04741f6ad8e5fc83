/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PATHS_H
#define SUPERVISOR_PATHS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/own.h"
#include "supervisor/config.h"

/* Where things live (docs/architecture.md section 7), for this start. */

struct paths {
	char state[CONFIG_PATH_MAX]; /* database, log, evidence; the workers' user owns it, 0700 */
	char data[CONFIG_PATH_MAX];  /* homes/CLIENT/APP */
	char runtime[CONFIG_PATH_MAX]; /* API socket, s-SESSION/ */
	char log[CONFIG_PATH_MAX];     /* file */
	char said[256];                /* what a person should know about the choice, or "" */
	uid_t uid;                     /* of workers and apps */
	gid_t gid;
	bool is_root; /* we are; uid is then somebody else */
};

/* Settles user and folders and makes what is missing. On failure out_error says
 * which folder or user, why, and what to do. */
int paths_settle(const struct config *config, struct paths *out,
		struct config_text *out_error) NODISCARD;

/* True when the workers' user can get through every folder above an absolute path. */
bool paths_are_open(const struct paths *paths, const char *path);

/* Makes `path` with its parents, owned by uid:gid, mode 0700 for the last. -EPERM when
 * it is there and belongs to somebody else than that user or root. */
int paths_make(const char *path, uid_t uid, gid_t gid) NODISCARD;

/* Removes a folder of ours and what is in it, never following a link. */
void paths_remove_tree(const char *path);

/* Removes every entry of a folder whose name starts with prefix, but those for which
 * stays() (NULL for none) says so. */
void paths_remove_matching(const char *folder, const char *prefix,
		bool (*stays)(const char *name, void *user), void *user);

/* Removes a folder if nothing is left in it. */
void paths_remove_empty(const char *folder);

#endif
