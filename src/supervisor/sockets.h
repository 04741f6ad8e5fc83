/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SOCKETS_H
#define SUPERVISOR_SOCKETS_H

#include "base/own.h"
#include "ipc/message.h"
#include "supervisor/config.h"
#include "supervisor/paths.h"

/* The listening sockets, made here and handed to the doors, so that a door that
 * dies loses no connection: they wait in the queue. */

struct sockets {
	int fd[DOORS]; /* owned, -1 for none; by enum ipc_door */
};

/* All or nothing. On failure out_error names port, cause and remedy. */
int sockets_open(const struct config *config, const struct paths *paths, struct sockets *out,
		struct config_text *out_error) NODISCARD;
void sockets_close(struct sockets *sockets, const struct paths *paths);

uint16_t sockets_port(const struct config *config, enum ipc_door door);

/* A listening Unix stream socket at path, which is removed first; owned by
 * uid:gid, mode 0600. Returns the fd or -errno. */
int sockets_listen_unix(const char *path, uid_t uid, gid_t gid, mode_t mode) NODISCARD;

#endif
