/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view_inside.h"

/* Successors of a view's stream. The one before is gone for good or stands still for
 * good; what it left is with us: its sockets and its takeover page. So the next one
 * starts at once, and the client notices a gap. */

static const struct restarts_rule rule = {
	.at_once = 4, .most = 9, .first_ms = 100, .wait_max_ms = 2000
};

static void failed(struct view *view, uint32_t reason);

void view_start(struct view *view) {
	restarts_tried(&view->stream.restarts);
	if (view_spawn(view) < 0) {
		failed(view, REASON_SPAWN_FAILED);
	} else {
		view_start_stream(view);
	}
}

static int handle_retry(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct view *view = (struct view *)user;
	view->stream.retry = sd_event_source_disable_unref(view->stream.retry);
	view_start(view);
	return 0;
}

static void failed(struct view *view, uint32_t reason) {
	const struct place_name name = { view->session->id, "stream" };
	if (!place_failed(&view->stream, view->session->supervisor->event, &rule, &name, reason,
			    handle_retry, view)) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESTARTS_SPENT, name.part);
	}
}

void view_stream_ended(struct view *view, const struct child_end *end) {
	place_missed(&view->stream);
	view->started = view->now.told = false;
	view_switch_fails(view, REASON_STREAM_DIED);
	if (end->reason == REASON_NO_ENCODER || end->reason == REASON_UNSUPPORTED) {
		/* Another one of it would say the same. */
		session_raise(view->session, LIFE_VIEWER_LOST, end->reason, end->detail);
	} else {
		failed(view, end->reason);
	}
}
