/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_CONTAINER_H
#define RUNNER_CONTAINER_H

#include <stdbool.h>

#include "base/own.h"
#include "ipc/message.h"
#include "runner/container_json.h"
#include "runner/container_life.h"
#include "runner/engine_log.h"
#include "runner/output.h"
#include "runner/telling.h"

struct engine;
struct engine_call;
struct sd_event_source;
struct worker;

/* One app in a container: made, started, watched, ended and removed by requests to the engine,
 * as container_life.h says. Tells the supervisor what comes of it. Loop thread only. */
struct container {
	struct worker *worker; /* borrowed */
	struct engine *engine; /* borrowed */
	enum container_state state;
	struct ipc_message plan;              /* RUNNER_PLAN, before it begins */
	struct ipc_message start;             /* RUNNER_START */
	char name[48], ref[CONTAINER_ID_MAX]; /* what requests name it by */
	bool pulled, cleared, adopted, missing;
	struct engine_call *request; /* borrowed: the one that the state awaits */
	struct engine_call *logs;    /* borrowed: what it prints, while it does */
	struct engine_log log;
	struct container_pull pull;
	struct output output;
	struct telling telling;
	struct sd_event_source *timer; /* owned */
	bool remove_waits;             /* for the last words, or for the engine */
	unsigned removals;             /* times that was asked for */
	int status;                    /* as of waitpid */
	char words[300];               /* why it could not be run; "" while it can */
};

/* For a struct of zeros. */
int container_open(struct container *container, struct engine *engine,
		struct worker *worker) NODISCARD;

/* RUNNER_START. RUNNER_EXITED follows in any case, and once the worker is to end, its end. */
void container_begin(struct container *container, const struct ipc_message *message);

/* Begun, and not yet removed. */
bool container_is_there(const struct container *container);

/* The worker is to end: stops and removes one that is there. */
void container_stop(struct container *container);

#endif
