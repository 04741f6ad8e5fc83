/* SPDX-License-Identifier: MIT */

/* perigee-container: starts, watches and ends one app in a container, by the Docker Engine
 * API, or removes what is left over of apps of former sessions, or asks for an image. It opens no
 * file and no socket: connections to the engine are made by the supervisor, one for each request,
 * and nothing here waits for one. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/worker.h"
#include "runner/container.h"
#include "runner/engine.h"
#include "runner/image.h"
#include "runner/sweep.h"

struct process {
	struct worker worker;
	struct engine engine;
	/* One of these has something to do. */
	struct container container;
	struct sweep sweep;
	struct image image;
};

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct process *process = worker->user;
	switch (message->kind) {
	case IPC_RUNNER_PLAN:
		process->container.plan = *message;
		break;
	case IPC_RUNNER_START:
		container_begin(&process->container, message);
		break;
	case IPC_RUNNER_SWEEP:
		sweep_go_on(&process->sweep, &process->engine, worker, message);
		break;
	case IPC_IMAGE_ASK:
		image_begin(&process->image, &process->engine, worker, message);
		break;
	case IPC_RUNNER_ENGINE:
		engine_give(&process->engine, fds_take(fds, 0));
		break;
	case IPC_RUNNER_ENGINE_NONE:
		engine_refuse(&process->engine, message->runner_engine.error < 0
								? message->runner_engine.error
								: -EIO);
		break;
	default:
		break;
	}
}

static void handle_stop(struct worker *worker, uint32_t reason) {
	(void)reason;
	struct process *process = worker->user;
	if (!container_is_there(&process->container)) {
		worker_leave(worker);
		return;
	}
	container_stop(&process->container);
}

static const struct worker_class container_class = {
	.kind = PEER_RUNNER,
	.message = handle_message,
	.stop = handle_stop,
	.to_the_end = true,
};

static void ask_engine(void *user) {
	struct process *process = user;
	struct ipc_message message = { .kind = IPC_RUNNER_ENGINE_ASK };
	worker_post(&process->worker, &message, NULL, 0);
}

int main(void) {
	struct process *process = calloc(1, sizeof(*process));
	if (!process) {
		return 1;
	}
	json_object_seed((size_t)clock_now_ns() | 1);
	int rc = worker_open(&process->worker, &container_class, process);
	process->engine = (struct engine){
		.event = process->worker.event, .ask = ask_engine, .user = process
	};
	if (rc >= 0) {
		rc = container_open(&process->container, &process->engine, &process->worker);
	}
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	rc = worker_run(&process->worker);
	/* One that is left behind is the supervisor's to sweep. */
	_exit(rc ? rc : container_is_there(&process->container));
}
