/* SPDX-License-Identifier: MIT */
#include "runner/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "ipc/worker.h"
#include "runner/engine.h"
#include "runner/image.h"

enum {
	QUERY_MS = 10000,  /* what an engine answers out of its memory */
	CREATE_MS = 60000, /* may copy an image's layers */
	START_MS = 60000,
	REMOVE_MS = 30000,
	REMOVE_AGAIN_MS = 100,
	REMOVALS_MAX = 20,
	PULL_IDLE_MS = 120000,
	WAIT_MS = 30000,         /* then it is asked whether the container still runs */
	AGAIN_MS = 1000,         /* after an answer that was none */
	LAST_WORDS_MS = 1000,    /* for what a container printed at its end */
	STOP_S = 2,              /* before the engine kills it */
	REMOVE_MARGIN_MS = 1400, /* of the grace, kept for the removal */
	STATUS_CANNOT = 126 << 8,
	TARGET_MAX = 1280,
};

static void raise_event(struct container *container, enum container_event event);

/* ---- words ---- */

static void log_output(void *user, const char *line, unsigned skipped) {
	(void)user;
	log_info("app-output", "skipped=%u line=%s", skipped, log_quote(line).text);
}

static void take_output(void *user, struct span bytes) {
	struct container *container = user;
	while (bytes.len > 0) {
		struct span piece;
		int n = engine_log_take(&container->log, bytes.at, bytes.len, &piece);
		if (n <= 0) {
			container->log.raw = true; /* not framed after all: take it as it is */
			continue;
		}
		output_add(&container->output, piece.at, piece.len, clock_now_ns());
		bytes.at += n;
		bytes.len -= (size_t)n;
	}
	telling_note(&container->telling);
}

/* Says why it cannot be run: the engine's words, or what happened to the request. */
static void note_failure(struct container *container, const char *what, int status,
		const char *text, size_t len) {
	char said[160];
	container_parse_message(text, len, said, sizeof(said));
	container->status = STATUS_CANNOT;
	if (status < 0) {
		text_format(container->words, sizeof(container->words),
				"%s: the container engine: %s", what, strerror(-status));
	} else {
		text_format(container->words, sizeof(container->words),
				"%s: the container engine answers %d: %s", what, status, said);
	}
	log_warning("container-failed", "what=%s status=%d detail=%s", what, status,
			log_quote(container->words).text);
}

static void report(struct container *container) {
	struct ipc_message message = { .kind = IPC_RUNNER_EXITED };
	engine_finish(container->engine);
	container->logs = container->request = NULL;
	telling_finish(&container->telling);
	output_end(&container->output, clock_now_ns());
	message.runner_exited.status = container->status;
	text_copy(message.runner_exited.last_lines, sizeof(message.runner_exited.last_lines),
			container->words[0] ? container->words : container->output.last);
	log_info("app-exited", "status=0x%x", (unsigned)container->status);
	worker_post(container->worker, &message, NULL, 0);
	if (container->worker->ending) {
		worker_leave(container->worker);
	}
}

/* ---- requests ---- */

typedef void done_handler(void *user, int status, const char *text, size_t len);

static void ask(struct container *container, const char *method, const char *target,
		const char *body, uint64_t deadline_ms, done_handler *done) {
	struct engine_request request = {
		.method = method,
		.target = target,
		.body = body,
		.deadline_ms = deadline_ms,
		.done = done,
		.user = container,
	};
	container->request = engine_call(container->engine, &request);
	if (!container->request) {
		worker_end(container->worker, REASON_RESOURCES, "no memory for a request");
	}
}

static enum container_event event_of(int status) {
	return status >= 200 && status < 300 ? CONTAINER_OK
	       : status == 304               ? CONTAINER_OK /* it is so already */
	       : status == 404               ? CONTAINER_MISSING
	       : status == 409               ? CONTAINER_TAKEN
					     : CONTAINER_FAILED;
}

static void set_timer(struct container *container, uint64_t ms) {
	sd_event_source_set_time(container->timer, clock_now_us() + ms * US_PER_MS);
	sd_event_source_set_enabled(container->timer, SD_EVENT_ONESHOT);
}

/* Of the session's app, not one of those that run beside it. */
static void handle_found(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	struct container_row rows[CONTAINER_LIST_MAX];
	container->request = NULL;
	int count = status == 200 ? container_parse_list(text, len, rows) : -EPROTO;
	if (count < 0) {
		note_failure(container, "find", status, text, len);
		raise_event(container, CONTAINER_FAILED);
		return;
	}
	for (int i = 0; i < count && !container->adopted; i++) {
		if (!rows[i].extra) {
			text_copy(container->ref, sizeof(container->ref), rows[i].id);
			container->adopted = true;
		}
	}
	raise_event(container, container->adopted ? CONTAINER_OK : CONTAINER_MISSING);
}

static void handle_created(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	enum container_event event = event_of(status);
	container->request = NULL;
	bool again = (event == CONTAINER_MISSING && container->pulled) ||
		     (event == CONTAINER_TAKEN && container->cleared);
	if (event == CONTAINER_OK &&
			container_parse_id(text, len, container->ref, sizeof(container->ref)) < 0) {
		event = CONTAINER_FAILED;
	}
	if (event == CONTAINER_FAILED || again) {
		note_failure(container, "create", status, text, len);
		event = CONTAINER_FAILED;
	}
	raise_event(container, event);
}

static void post_pull(struct container *container, const char *detail) {
	struct ipc_message message = { .kind = IPC_RUNNER_PULL };
	message.runner_pull.percent = (uint8_t)container->pull.percent;
	text_copy(message.runner_pull.detail, sizeof(message.runner_pull.detail), detail);
	log_info("image-pull", "image=%s percent=%u detail=%s",
			log_quote(container->plan.runner_plan.image).text, container->pull.percent,
			log_quote(detail).text);
	worker_post(container->worker, &message, NULL, 0);
}

static void take_pull(void *user, struct span bytes) {
	struct container *container = user;
	if (container_pull_add(&container->pull, bytes)) {
		post_pull(container, "pulling");
	}
}

static void handle_pulled(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	container->request = NULL;
	bool well = status == 200 && !container->pull.error[0];
	if (status == 200 && !well) {
		container->status = STATUS_CANNOT;
		text_format(container->words, sizeof(container->words), "pull: %s",
				container->pull.error);
	} else if (!well) {
		note_failure(container, "pull", status, text, len);
	}
	post_pull(container, well ? "pulled" : "failed");
	raise_event(container, well ? CONTAINER_OK : CONTAINER_FAILED);
}

static void handle_cleared(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	enum container_event event = event_of(status);
	container->request = NULL;
	if (event == CONTAINER_FAILED || event == CONTAINER_TAKEN) {
		note_failure(container, "clear", status, text, len);
		event = CONTAINER_FAILED;
	}
	raise_event(container, event);
}

static void handle_started(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	enum container_event event = event_of(status);
	container->request = NULL;
	if (event != CONTAINER_OK) {
		note_failure(container, "start", status, text, len);
		event = CONTAINER_FAILED;
	}
	raise_event(container, event);
}

static void handle_stopped(void *user, int status, const char *text, size_t len) {
	(void)text;
	(void)len;
	struct container *container = user;
	container->request = NULL;
	log_info("container-stopped", "status=%d", status);
	raise_event(container, event_of(status) == CONTAINER_OK ? CONTAINER_OK : CONTAINER_FAILED);
}

static void handle_removed(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	container->request = NULL;
	log_info("container-removed", "container=%s status=%d times=%u", container->ref, status,
			container->removals);
	if (status == 409 && container->removals < REMOVALS_MAX) {
		/* The engine is about to do something else with it, perhaps this. */
		container->remove_waits = true;
		set_timer(container, REMOVE_AGAIN_MS);
		return;
	}
	if (status < 0 || (status >= 300 && status != 404)) {
		char said[160];
		container_parse_message(text, len, said, sizeof(said));
		log_warning("container-left", "container=%s status=%d detail=%s", container->ref,
				status, log_quote(said).text);
	}
	raise_event(container, CONTAINER_OK);
}

/* ---- watching ---- */

static void wait_for_exit(struct container *container);

/* An engine that does not answer, or restarts, has ended no container. */
static void handle_seen(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	struct container_seen seen;
	container->request = NULL;
	if (status == 404) {
		container->status = STATUS_CANNOT;
		text_copy(container->words, sizeof(container->words),
				"somebody else removed the container");
		raise_event(container, CONTAINER_EXITED);
	} else if (status != 200 || container_parse_seen(text, len, &seen) < 0) {
		log_warning("engine-silent", "status=%d", status);
		set_timer(container, AGAIN_MS);
	} else if (seen.running) {
		wait_for_exit(container);
	} else {
		container->status = W_EXITCODE(seen.exit_code, 0);
		if (seen.out_of_memory || seen.error[0]) {
			text_format(container->words, sizeof(container->words), "%s%.120s",
					seen.out_of_memory ? "out of memory; " : "", seen.error);
		}
		raise_event(container, CONTAINER_EXITED);
	}
}

static void look(struct container *container) {
	char target[TARGET_MAX];
	text_format(target, sizeof(target), "/containers/%s/json", container->ref);
	ask(container, "GET", target, NULL, QUERY_MS, handle_seen);
}

/* Whatever it says, looking tells what it means. */
static void handle_waited(void *user, int status, const char *text, size_t len) {
	(void)text;
	(void)len;
	struct container *container = user;
	container->request = NULL;
	if (status == 200 || status == -ETIMEDOUT) {
		look(container);
	} else {
		set_timer(container, AGAIN_MS);
	}
}

static void wait_for_exit(struct container *container) {
	char target[TARGET_MAX];
	text_format(target, sizeof(target), "/containers/%s/wait", container->ref);
	ask(container, "POST", target, NULL, WAIT_MS, handle_waited);
}

static void remove_now(struct container *container) {
	char target[TARGET_MAX];
	container->remove_waits = false;
	container->removals++;
	sd_event_source_set_enabled(container->timer, SD_EVENT_OFF);
	container_remove_target(container->ref, target, sizeof(target));
	ask(container, "DELETE", target, NULL, REMOVE_MS, handle_removed);
}

static void handle_logs_end(void *user, int status, const char *text, size_t len) {
	(void)text;
	(void)len;
	struct container *container = user;
	container->logs = NULL;
	log_debug("container-logs", "status=%d", status);
	if (container->remove_waits) {
		remove_now(container);
	}
}

static void follow_logs(struct container *container, bool terminal) {
	char target[TARGET_MAX];
	text_format(target, sizeof(target),
			"/containers/%s/logs?follow=1&stdout=1&stderr=1&tail=%s", container->ref,
			container->adopted ? "0" : "all");
	container->log = (struct engine_log){ .raw = terminal };
	struct engine_request request = {
		.method = "GET",
		.target = target,
		.piece = take_output,
		.done = handle_logs_end,
		.user = container,
	};
	container->logs = engine_call(container->engine, &request);
}

static void handle_first_look(void *user, int status, const char *text, size_t len) {
	struct container *container = user;
	struct container_seen seen = { 0 };
	if (status == 200 && container_parse_seen(text, len, &seen) == 0) {
		struct ipc_message message = { .kind = IPC_RUNNER_PID, .runner_pid.pid = seen.pid };
		worker_post(container->worker, &message, NULL, 0);
		follow_logs(container, seen.terminal);
	}
	handle_seen(user, status, text, len);
}

static void watch(struct container *container) {
	struct ipc_message message = { .kind = IPC_RUNNER_APP };
	char target[TARGET_MAX];
	text_format(message.runner_app.detail, sizeof(message.runner_app.detail),
			"container %.12s of %.80s", container->ref,
			container->plan.runner_plan.image);
	log_info(container->adopted ? "app-adopted" : "app-started", "container=%s image=%s",
			container->ref, log_quote(container->plan.runner_plan.image).text);
	worker_post(container->worker, &message, NULL, 0);
	text_format(target, sizeof(target), "/containers/%s/json", container->ref);
	ask(container, "GET", target, NULL, QUERY_MS, handle_first_look);
}

/* ---- actions ---- */

static void do_nothing(struct container *container) {
	(void)container;
}

static void find(struct container *container) {
	char target[TARGET_MAX];
	container_list_target(container->plan.runner_plan.host, container->plan.runner_plan.session,
			target, sizeof(target));
	ask(container, "GET", target, NULL, QUERY_MS, handle_found);
}

static void create(struct container *container) {
	char target[TARGET_MAX];
	OWN(free)
	void *body = container_create_json(&container->plan, &container->start, container->words,
			sizeof(container->words));
	if (!body) {
		container->status = STATUS_CANNOT;
		container->state = CONTAINER_GONE;
		report(container);
		return;
	}
	text_format(target, sizeof(target), "/containers/create?name=%s", container->name);
	ask(container, "POST", target, body, CREATE_MS, handle_created);
}

static void pull(struct container *container) {
	char target[TARGET_MAX];
	(void)image_pull_target(container->plan.runner_plan.image, target, sizeof(target));
	container->pulled = true;
	container->pull = (struct container_pull){ 0 };
	struct engine_request request = {
		.method = "POST",
		.target = target,
		.deadline_ms = PULL_IDLE_MS,
		.idle = true,
		.piece = take_pull,
		.done = handle_pulled,
		.user = container,
	};
	post_pull(container, "begins");
	container->request = engine_call(container->engine, &request);
	if (!container->request) {
		worker_end(container->worker, REASON_RESOURCES, "no memory for a request");
	}
}

static void clear(struct container *container) {
	char target[TARGET_MAX];
	container->cleared = true;
	container_remove_target(container->name, target, sizeof(target));
	ask(container, "DELETE", target, NULL, REMOVE_MS, handle_cleared);
}

static void start(struct container *container) {
	char target[TARGET_MAX];
	text_format(target, sizeof(target), "/containers/%s/start", container->ref);
	ask(container, "POST", target, NULL, START_MS, handle_started);
}

static void ask_stop(struct container *container) {
	char target[TARGET_MAX];
	uint64_t end_us = 0, now_us = clock_now_us();
	sd_event_source_get_time(container->worker->grace, &end_us);
	uint64_t left_ms = end_us > now_us ? (end_us - now_us) / US_PER_MS : 0;
	uint64_t wait_ms =
			left_ms > 2 * REMOVE_MARGIN_MS ? left_ms - REMOVE_MARGIN_MS : left_ms / 2;
	sd_event_source_set_enabled(container->timer, SD_EVENT_OFF);
	engine_cancel(container->engine, container->request); /* it waited for the exit */
	text_format(target, sizeof(target), "/containers/%s/stop?t=%d", container->ref, STOP_S);
	ask(container, "POST", target, NULL, wait_ms, handle_stopped);
}

static void remove_later(struct container *container) {
	if (!container->logs || container->worker->ending) {
		remove_now(container);
		return;
	}
	container->remove_waits = true;
	set_timer(container, LAST_WORDS_MS);
}

typedef void action_function(struct container *container);

static action_function *const actions[CONTAINER_ACTIONS] = {
	[CONTAINER_NOTHING] = do_nothing,
	[CONTAINER_FIND] = find,
	[CONTAINER_CREATE] = create,
	[CONTAINER_PULL] = pull,
	[CONTAINER_CLEAR] = clear,
	[CONTAINER_START] = start,
	[CONTAINER_WATCH] = watch,
	[CONTAINER_ASK_STOP] = ask_stop,
	[CONTAINER_REMOVE] = remove_later,
	[CONTAINER_REPORT] = report,
};

static void raise_event(struct container *container, enum container_event event) {
	enum container_action action;
	container->state = container_life_step(container->state, event, &action);
	actions[action](container);
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct container *container = user;
	if (container->remove_waits) {
		remove_now(container);
	} else if (container->state == CONTAINER_RUNNING) {
		look(container);
	}
	return 0;
}

/* ---- from outside ---- */

int container_open(struct container *container, struct engine *engine, struct worker *worker) {
	container->engine = engine;
	container->worker = worker;
	int rc = sd_event_add_time(worker->event, &container->timer, CLOCK_MONOTONIC, UINT64_MAX,
			1000, handle_timer, container);
	return rc < 0 ? rc : sd_event_source_set_enabled(container->timer, SD_EVENT_OFF);
}

void container_begin(struct container *container, const struct ipc_message *message) {
	const struct ipc_message *plan = &container->plan;
	if (container->state != CONTAINER_IDLE || plan->kind != IPC_RUNNER_PLAN) {
		worker_fail(container->worker, REASON_WORKER_LIED, "an app runs already");
		return;
	}
	container->start = *message;
	output_init(&container->output, clock_now_ns(), log_output, container);
	telling_begin(&container->telling, container->worker, &container->output);
	char extra[16] = "";
	if (plan->runner_plan.extra) {
		text_format(extra, sizeof(extra), "-%u", plan->runner_plan.extra);
	}
	text_format(container->name, sizeof(container->name), "perigee-%016llx%s",
			(unsigned long long)plan->runner_plan.session, extra);
	text_copy(container->ref, sizeof(container->ref), container->name);
	raise_event(container, plan->runner_plan.goes_on ? CONTAINER_GO_ON : CONTAINER_BEGIN);
}

bool container_is_there(const struct container *container) {
	return container->state != CONTAINER_IDLE && container->state != CONTAINER_GONE;
}

void container_stop(struct container *container) {
	raise_event(container, CONTAINER_STOP);
}
