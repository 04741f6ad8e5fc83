/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"
#include "supervisor/view_inside.h"

/* Successors of a view's processes. The one before is gone for good or stands still
 * for good; what it left is with us: rings with the encoders' last packets, sockets
 * and takeover page of the stream. So the next one starts at once, and the client
 * notices a gap. */

enum {
	KIND_FAILURES = 3, /* of one encoder kind in a minute: the next one's turn */
};

/* clang-format off */
static const struct restarts_rule rules[VIEW_PARTS] = {
	[VIEW_PICTURES] = { .at_once = 4, .most = 9, .first_ms = 100, .wait_max_ms = 2000 },
	[VIEW_SOUND]    = { .at_once = 4, .most = 9, .first_ms = 200, .wait_max_ms = 5000 },
	[VIEW_STREAM]   = { .at_once = 4, .most = 9, .first_ms = 100, .wait_max_ms = 2000 },
};
/* clang-format on */

void view_part_serves(struct view *view, enum view_part part) {
	struct view_worker *worker = &view->worker[part];
	if (worker->down_ms == 0 || !worker->child) {
		return;
	}
	log_info("part-replaced", "session=%016llx part=%s took_ms=%llu times=%u",
			(unsigned long long)view->session->id, view_part_name(part),
			(unsigned long long)(clock_now_ms() - worker->down_ms),
			worker->restarts.total);
	worker->down_ms = 0;
}

static void part_failed(struct view *view, enum view_part part, uint32_t reason);

void view_start_part(struct view *view, enum view_part part) {
	struct view_worker *worker = &view->worker[part];
	restarts_tried(&worker->restarts);
	int rc = view_spawn(view, part);
	if (rc == 0) {
		rc = view_order(view, part);
	}
	if (rc < 0 && !worker->child) {
		part_failed(view, part, REASON_SPAWN_FAILED);
	} else if (rc < 0) {
		child_fence(worker->child, REASON_RESOURCES, strerror(-rc));
	}
}

void view_part_mend(struct view *view, enum view_part part) {
	struct view_worker *worker = &view->worker[part];
	if (!worker->child && !worker->retry) {
		worker->down_ms = clock_now_ms();
		view_start_part(view, part);
	} else if (worker->child && worker->child->orders == 0 && view_order(view, part) < 0) {
		child_fence(worker->child, REASON_RESOURCES, "its orders could not be given");
	}
}

static int handle_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct view_worker *worker = (struct view_worker *)user;
	worker->retry = sd_event_source_disable_unref(worker->retry);
	view_start_part(worker->view, (enum view_part)(worker - worker->view->worker));
	return 0;
}

/* The view ends; without its sound encoder it goes on in silence. */
static void give_up(struct view *view, enum view_part part, uint32_t reason) {
	struct view_worker *worker = &view->worker[part];
	log_error("part-given-up", "session=%016llx part=%s reason=%s times=%u",
			(unsigned long long)view->session->id, view_part_name(part),
			reason_row(reason)->name, worker->restarts.recent);
	if (part != VIEW_SOUND || !view->started) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESTARTS_SPENT,
				view_part_name(part));
	}
}

/* A driver that fails again and again, a GPU that fell off the bus: the next kind
 * of encoder goes on. */
static void judge_kind(struct view *view, uint32_t reason, uint64_t now_ms) {
	static const struct restarts_rule rule = { .at_once = UINT8_MAX, .most = UINT8_MAX };
	uint32_t wait_ms;
	char kind[sizeof(view->kind)];
	memcpy(kind, view->kind, sizeof(kind));
	if (restarts_failed(&view->kind_restarts, &rule, reason, now_ms, &wait_ms) &&
			view->kind_restarts.recent >= KIND_FAILURES && view_give_up_kind(view)) {
		view->kind_restarts = (struct restarts){ 0 };
		view->worker[VIEW_PICTURES].restarts = (struct restarts){
			.total = view->worker[VIEW_PICTURES].restarts.total
		};
		log_warning("encoder-kind-given-up",
				"session=%016llx kind=%s reason=%s failures=%d",
				(unsigned long long)view->session->id, log_quote(kind).text,
				reason_row(reason)->name, KIND_FAILURES);
	}
}

static void part_failed(struct view *view, enum view_part part, uint32_t reason) {
	if (part == VIEW_PICTURES && view->desktop_gone && !view->session->desk->desktop_ready) {
		return; /* it comes with the desktop */
	}
	struct view_worker *worker = &view->worker[part];
	struct session *session = view->session;
	uint64_t now_ms = clock_now_ms();
	uint32_t wait_ms = 0;
	if (part == VIEW_PICTURES && reason != REASON_RESTARTED) {
		judge_kind(view, reason, now_ms);
	}
	if (!restarts_failed(&worker->restarts, &rules[part], reason, now_ms, &wait_ms)) {
		give_up(view, part, reason);
		return;
	}
	log_warning("part-lost", "session=%016llx part=%s reason=%s times=%u wait_ms=%u",
			(unsigned long long)session->id, view_part_name(part),
			reason_row(reason)->name, worker->restarts.recent, wait_ms);
	/* Also at once: from the loop, so that nobody is surprised by it in the middle
	 * of something else. */
	sd_event_source_disable_unref(worker->retry);
	worker->retry = NULL;
	if (sd_event_add_time_relative(session->supervisor->event, &worker->retry, CLOCK_MONOTONIC,
			    wait_ms * US_PER_MS, 1000, handle_retry, worker) < 0) {
		give_up(view, part, REASON_RESOURCES);
	}
}

static void forget_encoder(struct view *view, enum view_part part) {
	fd_release(&view->ring_fd[part]);
	view_keep(view);
	if (part == VIEW_PICTURES && view->opened) {
		struct ipc_message gone = { .kind = IPC_DESKTOP_ENCODER_GONE,
			.desktop_encoder.encoder = view->encoder };
		child_post(view->session->desk->desktop, &gone, NULL, 0);
	}
}

/* Another one of it would say the same. */
static bool is_final(uint32_t reason) {
	return reason == REASON_NO_ENCODER || reason == REASON_UNSUPPORTED;
}

void view_part_ended(struct view *view, enum view_part part, const struct child_end *end) {
	struct view_worker *worker = &view->worker[part];
	if (worker->down_ms == 0) {
		worker->down_ms = clock_now_ms();
	}
	if (part == VIEW_STREAM) {
		view->started = false;
	} else {
		forget_encoder(view, part);
	}
	if (is_final(end->reason)) {
		session_raise(view->session, LIFE_VIEWER_LOST, end->reason, end->detail);
	} else {
		part_failed(view, part, end->reason);
	}
}
