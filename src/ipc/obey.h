/* SPDX-License-Identifier: MIT */
#ifndef IPC_OBEY_H
#define IPC_OBEY_H

#include <stdbool.h>
#include <stddef.h>

struct ipc_message;
struct worker;

/* A worker that does what it is told, as one would that somebody has taken over.
 * For tests alone: only a build with -Dobey=true has any of it. Orders come through
 * POST /api/v1/debug/obey on the API's Unix socket, {"worker", "order", "argument"}. */

/* One thing a worker can be told to do. Returns 0 when it could, else -errno; detail,
 * if anything is to be said, is text. */
struct obey_order {
	const char *name;
	int (*run)(struct worker *worker, const char *argument, char *detail, size_t size);
};

#ifdef PERIGEE_OBEY

/* Carries out an OBEY and answers OBEYED. False for every other message. */
bool obey_handle(struct worker *worker, const struct ipc_message *message);

#else

static inline bool obey_handle(struct worker *worker, const struct ipc_message *message) {
	(void)worker;
	(void)message;
	return false;
}

#endif

#endif
