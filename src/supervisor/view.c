/* SPDX-License-Identifier: MIT */
#include "supervisor/view.h"

#include <errno.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/page.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"
#include "supervisor/view_inside.h"

static void handle_stream_message(
		struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct view *view = (struct view *)child->user;
	struct session *session = view->session;
	if (message->kind == IPC_STREAM_FIRST) {
		session_raise(session, LIFE_FIRST_PACKET, REASON_NONE, NULL);
	} else if (message->kind == IPC_STREAM_LOST) {
		session_raise(session, LIFE_VIEWER_LOST, message->stream_lost.reason, NULL);
	} else if (message->kind == IPC_FLOW_PROVEN) {
		message->flow_proven.session = session->id;
		supervisor_post(session->supervisor, SERVICE_GATE, message, NULL, 0);
	} else if (message->kind == IPC_STREAM_COMBO) {
		tell_event(session, TOLD_COMBO, 0, NULL);
		member_return(session);
	} else if (message->kind == IPC_STREAM_STATS) {
		uint64_t asked = message->stream_stats.idr_requests;
		if (asked && asked != session->stats.stream_stats.idr_requests) {
			tell_event(session, TOLD_KEY_FRAME, 0, NULL);
		}
		session->stats = *message;
		view_line_heard(view, message->stream_stats.recoveries);
	} else if (message->kind == IPC_STREAM_FLOW) {
		view_flow_answered(view, message->stream_flow.flow, message->stream_flow.taken);
	} else if (message->kind == IPC_STREAM_SOURCE_ACTIVE) {
		view_source_active(
				view, message->stream_active.source, message->stream_active.reason);
	}
}

static void handle_failure(struct child *child, uint32_t reason, const char *detail) {
	struct view *view = (struct view *)child->user;
	session_raise(view->session, LIFE_VIEWER_LOST, reason, detail);
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct view *view = (struct view *)child->user;
	struct session *session = view->session;
	view->stream.child = NULL;
	view_stream_ended(view, end);
	session_child_gone(session);
}

static const struct child_owner stream_owner = {
	.message = handle_stream_message,
	.failure = handle_failure,
	.ended = handle_ended,
};

static void handle_closing_ended(struct child *child, const struct child_end *end) {
	(void)end;
	session_child_gone((struct session *)child->user);
}

static const struct child_owner closing_owner = {
	.ended = handle_closing_ended,
};

int view_spawn(struct view *view) {
	struct child_spec spec = {
		.kind = PEER_STREAM,
		.program = "perigee-stream",
		.session = view->session->id,
		.view = view->id,
		.name = "viewer",
		.realtime = true, /* it sends on a clock and computes little */
	};
	int rc = child_spawn(&view->session->supervisor->nursery, &spec, &stream_owner, view,
			&view->stream.child);
	if (rc == 0) {
		view->session->children++;
	}
	return rc;
}

struct view *view_make(struct session *session, uint32_t id) {
	struct view *view = calloc(1, sizeof(*view));
	if (!view) {
		return NULL;
	}
	*view = (struct view){
		.session = session,
		.id = id,
		.page = SHM_NONE,
		.now = { .desk = session->desk, .may_input = true },
		.incarnation = 1,
	};
	for (int flow = 0; flow < FLOWS; flow++) {
		view->flows[flow].taken.fd = -1;
	}
	return view;
}

int view_create(struct session *session, struct view **out) {
	struct view *view = view_make(session, ++session->supervisor->last_view);
	if (!view) {
		return -ENOMEM;
	}
	int rc = page_create(&view->page);
	for (int kind = 0; kind < ENCODING_KINDS && rc >= 0; kind++) {
		rc = encoding_create(
				session->desk, (enum encoding_kind)kind, &view->now.encoding[kind]);
	}
	rc = rc < 0 ? rc : view_spawn(view);
	if (rc < 0) {
		view_close(view, REASON_SPAWN_FAILED, reason_termination(REASON_SPAWN_FAILED));
		return rc;
	}
	view_keep(view);
	*out = view;
	return 0;
}

int view_adopt(struct session *session, struct child_left *left) {
	struct nursery *nursery = &session->supervisor->nursery;
	struct view *view = session->view;
	struct child *closing = NULL;
	int rc;
	if (!view || view->id != left->view || left->stopping) {
		rc = child_adopt(nursery, left, &closing_owner, session, &closing);
	} else {
		rc = child_adopt(nursery, left, &stream_owner, view, &view->stream.child);
	}
	session->children += rc == 0;
	child_stop(closing, REASON_ASKED, VIEW_STREAM_GRACE_MS);
	return rc;
}

/* The desktop takes the viewer's size, if nobody else watches it. */
static void fit_desktop(struct view *view) {
	struct desk *desk = view->session->desk;
	for (const struct session *at = desk->supervisor->sessions; at; at = at->next) {
		if (at->view && at->view != view && view_is_on(at->view, desk)) {
			return;
		}
	}
	desk_resize(desk, view->params.width, view->params.height, view->params.rate_x100 * 10);
}

int view_open(struct view *view, const struct ipc_stream_params *params) {
	view->params = *params;
	view->opened = true;
	fit_desktop(view);
	int rc = view_take_encodings(view, &view->now);
	if (rc == 0) {
		view_start_stream(view); /* if what it shares is there already */
	}
	return rc;
}

void view_close(struct view *view, uint32_t reason, uint32_t code) {
	if (!view) {
		return;
	}
	if (view->started) {
		struct ipc_message end = { .kind = IPC_STREAM_END, .stream_end = { reason, code } };
		child_post(view->stream.child, &end, NULL, 0);
	}
	struct session *session = view->session;
	view_forget(view);
	bool moving = view->next.desk;
	struct encoding *coming = TAKE(view->coming, NULL);
	encoding_leave(coming, reason);
	view->overdue = sd_event_source_disable_unref(view->overdue);
	view_leave_seat(view, &view->next, reason);
	view_leave_seat(view, &view->now, reason);
	place_release(&view->stream, &closing_owner, session, reason, VIEW_STREAM_GRACE_MS);
	view_close_flows(view);
	if (view->page.map) {
		explicit_bzero(view->page.map, view->page.size);
	}
	shm_finish(&view->page);
	free(view);
	if (moving) {
		session_switched(session, REASON_CLIENT_LEFT);
	}
}
