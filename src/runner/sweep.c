/* SPDX-License-Identifier: MIT */
#include "runner/sweep.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/message.h"
#include "ipc/reason.h"
#include "ipc/worker.h"
#include "runner/engine.h"

enum {
	LIST_MS = 10000,
	REMOVE_MS = 30000,
	TARGET_MAX = 1280,
};

static bool is_live(const struct ipc_message *message, uint64_t session) {
	for (size_t at = 0; at + sizeof(session) <= message->runner_sweep.sessions_len;
			at += sizeof(session)) {
		uint64_t live;
		memcpy(&live, message->runner_sweep.sessions + at, sizeof(live));
		if (live == session) {
			return true;
		}
	}
	return false;
}

static void finish(struct sweep *sweep, int status) {
	log_info("sweep-end", "status=%d", status);
	worker_end(sweep->worker, REASON_ASKED, "swept"); /* it has not failed */
}

static void handle_swept(void *user, int status, const char *text, size_t len) {
	(void)text;
	(void)len;
	struct sweep *sweep = user;
	if (--sweep->removals == 0) {
		finish(sweep, status);
	}
}

/* What there is; whose sessions are gone by now the supervisor is asked. */
static void handle_listed(void *user, int status, const char *text, size_t len) {
	struct sweep *sweep = user;
	int count = status == 200 ? container_parse_list(text, len, sweep->rows) : 0;
	sweep->rows_count = count > 0 ? (unsigned)count : 0;
	if (sweep->rows_count == 0) {
		finish(sweep, status);
		return;
	}
	struct ipc_message message = { .kind = IPC_RUNNER_LISTED };
	worker_post(sweep->worker, &message, NULL, 0);
}

static void remove_row(struct sweep *sweep, const struct container_row *row) {
	char target[TARGET_MAX];
	log_warning("container-swept", "container=%s session=%016llx", row->id,
			(unsigned long long)row->session);
	container_remove_target(row->id, target, sizeof(target));
	struct engine_request request = {
		.method = "DELETE",
		.target = target,
		.deadline_ms = REMOVE_MS,
		.done = handle_swept,
		.user = sweep,
	};
	sweep->removals += engine_call(sweep->engine, &request) != NULL;
}

static void remove_rows(struct sweep *sweep, const struct ipc_message *message) {
	for (unsigned i = 0; i < sweep->rows_count; i++) {
		if (!is_live(message, sweep->rows[i].session)) {
			remove_row(sweep, &sweep->rows[i]);
		}
	}
	if (sweep->removals == 0) {
		finish(sweep, 0);
	}
}

void sweep_go_on(struct sweep *sweep, struct engine *engine, struct worker *worker,
		const struct ipc_message *message) {
	char target[TARGET_MAX];
	sweep->engine = engine;
	sweep->worker = worker;
	if (sweep->rows_count > 0) {
		remove_rows(sweep, message);
		return;
	}
	container_list_target(message->runner_sweep.host, 0, target, sizeof(target));
	struct engine_request request = {
		.method = "GET",
		.target = target,
		.deadline_ms = LIST_MS,
		.done = handle_listed,
		.user = sweep,
	};
	if (!engine_call(engine, &request)) {
		worker_end(worker, REASON_RESOURCES, "no memory for a request");
	}
}
