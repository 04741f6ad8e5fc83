/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONTAINER_H
#define SUPERVISOR_CONTAINER_H

#include <stdint.h>

#include "base/own.h"

struct child;
struct config;
struct supervisor;

/* The container engine, as far as the supervisor has to do with it: it connects and hands
 * the connection over, and never says a word itself. */

/* The engine's socket: as configured, else the first usual one that is there; NULL: none. */
const char *container_engine_path(const struct config *config);

/* The user whose engine it is; -errno when it is not there. */
int container_engine_user(const struct config *config, uint32_t *out_uid) NODISCARD;

/* A runner asks for a connection (RUNNER_ENGINE_ASK). */
void container_connect(struct supervisor *supervisor, struct child *child);

/* Lets a container's runner end its app, whose session is over, and itself; what it leaves
 * is swept. The child is no longer its former owner's. */
void container_close(struct supervisor *supervisor, struct child *child, uint32_t reason,
		uint32_t grace_ms);

/* Removes containers of sessions that are no more; does nothing without an engine, or while the
 * host's id is not known yet. */
void container_sweep(struct supervisor *supervisor);

#endif
