/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_ENGINE_H
#define RUNNER_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

struct engine_call;
struct sd_event;

/* Requests to a container engine (Docker Engine API 1.40, which Podman speaks too), each
 * on a connection of its own that somebody else makes: this process can reach no socket.
 * Nothing blocks, and every call has a deadline. Loop thread only. */

#define ENGINE_API "/v1.40"

enum {
	ENGINE_TEXT_MAX = 1 << 20, /* of an answer that is kept */
};

struct engine {
	struct sd_event *event;    /* borrowed */
	struct engine_call *first; /* owned list, oldest first */
	void (*ask)(void *user);   /* a connection is wanted: engine_give() or engine_refuse() */
	void *user;                /* borrowed */
};

struct engine_request {
	const char *method; /* borrowed, as all of it; only until engine_call() returns */
	const char *target; /* behind ENGINE_API */
	const char *body;   /* JSON; NULL: none */
	uint64_t deadline_ms;
	bool idle; /* the deadline begins anew with each byte; 0: no deadline at all */
	/* A piece of the body, instead of keeping it; may be NULL. */
	void (*piece)(void *user, struct span bytes);
	/* The call is over: status is HTTP's, or -errno. text is the body, terminated. May
	 * make other calls. */
	void (*done)(void *user, int status, const char *text, size_t len);
	void *user;
};

/* NULL when there is no memory; `done` is not called then. */
struct engine_call *engine_call(struct engine *engine, const struct engine_request *request);

/* Ends it without a word. NULL is fine. */
void engine_cancel(struct engine *engine, struct engine_call *call);

/* A connection for the call that waits longest; takes fd. */
void engine_give(struct engine *engine, int fd);

/* There is none: error is a negative errno. */
void engine_refuse(struct engine *engine, int error);

void engine_finish(struct engine *engine);

#endif
