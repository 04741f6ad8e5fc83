/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"
#include "supervisor/view_inside.h"

/* Where a view sits, and how it moves: docs/architecture.md, section 3. */

static bool seat_is_ready(const struct view_seat *seat) {
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		if (!seat->encoding[kind] || seat->encoding[kind]->ring_fd < 0) {
			return false;
		}
	}
	return true;
}

/* An encoder's reader: the eventfd that wakes it and the channel it asks by. */
struct view_reader {
	int event, requests[2];
};

static int make_reader(struct view_reader *out) {
	*out = (struct view_reader){ eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), { -1, -1 } };
	return out->event < 0 ? -errno : channel_pair(out->requests);
}

static void close_reader(struct view_reader *reader) {
	fd_close(reader->event);
	fd_close(reader->requests[0]);
	fd_close(reader->requests[1]);
}

/* A reader of the same number, of a stream before this one, is replaced. */
static void introduce(const struct view *view, const struct encoding *encoding,
		const struct view_reader *reader) {
	struct ipc_message message = { .kind = IPC_ENCODER_READER,
		.encoder_reader.reader = view->id };
	child_post(encoding->place.child, &message, (int[]){ reader->event, reader->requests[1] },
			2);
}

static int post_source(struct view *view, struct view_seat *seat,
		const struct view_reader readers[ENCODING_KINDS]) {
	int input[2];
	int rc = channel_pair(input);
	if (rc < 0) {
		return rc;
	}
	const struct encoding *pictures = seat->encoding[ENCODING_PICTURES];
	const struct encoding *sound = seat->encoding[ENCODING_SOUND];
	seat->source = ++view->session->supervisor->last_view;
	seat->told = true;
	struct ipc_message source = { .kind = IPC_STREAM_SOURCE,
		.stream_source = { seat->source, pictures->invalidation } };
	int fds[7] = { pictures->ring_fd, readers[ENCODING_PICTURES].event,
		readers[ENCODING_PICTURES].requests[0], sound->ring_fd,
		readers[ENCODING_SOUND].event, readers[ENCODING_SOUND].requests[0], input[0] };
	child_post(view->stream.child, &source, fds, 7);
	introduce(view, pictures, &readers[ENCODING_PICTURES]);
	introduce(view, sound, &readers[ENCODING_SOUND]);
	struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER,
		.desktop_viewer = { view->id, seat->may_input, view->params.width,
				view->params.height } };
	child_post(seat->desk->desktop, &viewer, &input[1], 1);
	fd_close(input[0]);
	fd_close(input[1]);
	record_touch(view->session);
	return 0;
}

int view_send_source(struct view *view, struct view_seat *seat) {
	struct view_reader readers[ENCODING_KINDS];
	int rc = make_reader(&readers[ENCODING_PICTURES]);
	int also = make_reader(&readers[ENCODING_SOUND]);
	rc = rc < 0 ? rc : also;
	rc = rc < 0 ? rc : post_source(view, seat, readers);
	close_reader(&readers[ENCODING_PICTURES]);
	close_reader(&readers[ENCODING_SOUND]);
	return rc;
}

static int hand_over(struct view *view, struct view_seat *seat, struct encoding *encoding) {
	struct view_reader reader;
	int rc = make_reader(&reader);
	if (rc == 0) {
		bool pictures = encoding->kind == ENCODING_PICTURES;
		struct ipc_message message = {
			.kind = pictures ? IPC_STREAM_PICTURES : IPC_STREAM_SOUND,
			.stream_part = { seat->source, pictures && encoding->invalidation },
		};
		int fds[3] = { encoding->ring_fd, reader.event, reader.requests[0] };
		child_post(view->stream.child, &message, fds, 3);
		introduce(view, encoding, &reader);
	}
	close_reader(&reader);
	return rc;
}

static void serves(struct encoding *encoding) {
	const struct place_name name = { encoding->desk->id, encoding_part(encoding->kind) };
	place_serves(&encoding->place, &name);
}

/* With the page of the one before: nothing in it is ever used twice. */
void view_start_stream(struct view *view) {
	struct session *session = view->session;
	if (view->started || !view->opened || !view->stream.child || !seat_is_ready(&view->now)) {
		return;
	}
	struct ipc_message start = { .kind = IPC_STREAM_START };
	start.stream_start.key = session->launch.launch.key;
	start.stream_start.key_id = session->launch.launch.key_id;
	start.stream_start.params = view->params;
	start.stream_start.connect_data = session->answer.launched.connect_data;
	start.stream_start.enet_peer = session->answer.launched.enet_peer;
	start.stream_start.incarnation = view->incarnation++;
	text_copy(start.stream_start.trace, sizeof(start.stream_start.trace), session->trace);
	child_post(view->stream.child, &start, &view->page.fd, 1);
	secret_wipe(&start.stream_start.key);
	view->started = true;
	permits_tell_stream(session);
	int rc = view_send_source(view, &view->now);
	if (rc < 0) {
		session_raise(session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
		return;
	}
	view_send_flows(view);
	session_raise(session, LIFE_VIEW_READY, REASON_NONE, NULL);
}

/* The encoding may be gone: it is not looked at. */
bool view_uses(const struct view *view, const struct encoding *encoding) {
	bool uses = view->coming == encoding;
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		uses = uses || view->now.encoding[kind] == encoding ||
		       view->next.encoding[kind] == encoding;
	}
	return uses;
}

bool view_is_on(const struct view *view, const struct desk *desk) {
	return view->now.desk == desk || view->next.desk == desk;
}

int view_seat_goes_on(struct view *view, struct view_seat *seat, struct encoding *encoding) {
	if (!seat->told) {
		return seat_is_ready(seat) ? view_send_source(view, seat) : 0;
	}
	int rc = hand_over(view, seat, encoding);
	if (rc == 0 && encoding->kind == ENCODING_SOUND) {
		serves(encoding);
	}
	return rc;
}

void view_encoding_ready(
		struct view *view, struct encoding *encoding, uint32_t reason, const char *detail) {
	(void)reason;
	(void)detail;
	if (view->coming == encoding) {
		view_line_ready(view);
		return;
	}
	if (!view->started) {
		view_start_stream(view);
		return;
	}
	if (view->next.encoding[encoding->kind] == encoding &&
			view_seat_goes_on(view, &view->next, encoding) < 0) {
		view_switch_fails(view, REASON_RESOURCES);
	}
	if (view->now.encoding[encoding->kind] != encoding) {
		return;
	}
	int rc = view_seat_goes_on(view, &view->now, encoding);
	if (rc < 0) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
	}
}

/* Without its sound encoder a view goes on in silence. */
void view_encoding_failed(
		struct view *view, struct encoding *encoding, uint32_t reason, const char *detail) {
	if (view->coming == encoding) {
		view_line_fails(view, reason);
		return;
	}
	if (view->next.encoding[encoding->kind] == encoding) {
		view_switch_fails(view, reason);
		return;
	}
	bool silence = encoding->kind == ENCODING_SOUND && reason == REASON_RESTARTS_SPENT;
	if (!silence || !view->started) {
		session_raise(view->session, LIFE_VIEWER_LOST, reason, detail);
	}
}

void view_leave_seat(struct view *view, struct view_seat *seat, uint32_t reason) {
	struct view_seat left = *seat;
	*seat = (struct view_seat){ 0 };
	if (!left.desk) {
		return;
	}
	if (left.told && left.desk->desktop && !view_is_on(view, left.desk)) {
		struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER_GONE,
			.desktop_viewer.viewer = view->id };
		child_post(left.desk->desktop, &viewer, NULL, 0);
	}
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		encoding_leave(left.encoding[kind], reason);
	}
	record_touch(view->session);
}

int view_take_encodings(struct view *view, struct view_seat *seat) {
	int rc = 0;
	for (int kind = 0; kind < ENCODING_KINDS && rc == 0; kind++) {
		struct encoding_form form;
		struct encoding *spare = TAKE(seat->encoding[kind], NULL);
		encoding_form(&view->params, (enum encoding_kind)kind, &form);
		bool own = kind == ENCODING_PICTURES && line_is_apart(&view->line);
		rc = encoding_join(seat->desk, (enum encoding_kind)kind, &form, &spare, own,
				&seat->encoding[kind]);
	}
	record_touch(view->session);
	return rc;
}

static void over(struct view *view) {
	view->overdue = sd_event_source_disable_unref(view->overdue);
}

/* The stream's word that it had moved crossed ours that it should not. Its old source is gone:
 * it gets another one of the desk where it belongs. */
static void come_back(struct view *view) {
	view->astray = false;
	log_info("switch-undone", "session=%016llx desk=%016llx",
			(unsigned long long)view->session->id,
			(unsigned long long)view->now.desk->id);
	view->now.told = false; /* an encoder that is just replaced brings it */
	int rc = seat_is_ready(&view->now) ? view_send_source(view, &view->now) : 0;
	if (rc < 0) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
	}
}

void view_switch_fails(struct view *view, uint32_t reason) {
	if (!view->next.desk) {
		return;
	}
	over(view);
	view->abandoned = view->next.told ? view->next.source : 0;
	log_warning("switch-failed", "session=%016llx desk=%016llx reason=%s",
			(unsigned long long)view->session->id,
			(unsigned long long)view->next.desk->id, reason_row(reason)->name);
	view_leave_seat(view, &view->next, REASON_ASKED);
	if (view->astray) {
		come_back(view);
	}
	session_switched(view->session, reason);
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	view_switch_fails((struct view *)user, REASON_SWITCH_OVERDUE);
	return 0;
}

int view_switch(struct view *view, struct desk *desk, bool may_input) {
	if (view->next.desk || !view->started) {
		return -EBUSY;
	}
	if (view->now.desk == desk) {
		return -EALREADY;
	}
	view_line_fails(view, REASON_SWITCH_PENDING);
	view->next = (struct view_seat){ .desk = desk, .may_input = may_input };
	int rc = sd_event_add_time_relative(view->session->supervisor->event, &view->overdue,
			CLOCK_MONOTONIC, VIEW_SWITCH_MS * US_PER_MS, 1000, handle_overdue, view);
	rc = rc < 0 ? rc : view_take_encodings(view, &view->next);
	if (rc >= 0 && seat_is_ready(&view->next)) {
		rc = view_send_source(view, &view->next);
	}
	if (rc < 0) {
		over(view);
		view_leave_seat(view, &view->next, REASON_RESOURCES);
	}
	return rc < 0 ? rc : 0;
}

void view_switch_within(struct view *view, uint32_t limit_ms) {
	if (view->overdue && limit_ms && limit_ms < VIEW_SWITCH_MS) {
		(void)sd_event_source_set_time_relative(view->overdue, limit_ms * US_PER_MS);
	}
}

static void moved(struct view *view) {
	over(view);
	view->astray = false;
	struct view_seat left = view->now;
	view->now = view->next;
	view->next = (struct view_seat){ 0 };
	log_info("switched", "session=%016llx desk=%016llx source=%u",
			(unsigned long long)view->session->id,
			(unsigned long long)view->now.desk->id, view->now.source);
	view_leave_seat(view, &left, REASON_ASKED);
	tell_switched(view->session, view->now.desk);
	session_switched(view->session, REASON_NONE);
}

void view_source_active(struct view *view, uint32_t source, uint32_t reason) {
	if (view->next.told && source == view->next.source) {
		if (reason == REASON_NONE) {
			moved(view);
		} else {
			view_switch_fails(view, reason == REASON_NOT_READY ? REASON_SWITCH_OVERDUE
									   : reason);
		}
		return;
	}
	if (source == view->abandoned && reason == REASON_NONE) {
		view->abandoned = 0;
		view->astray = true;
		if (!view->next.told) {
			come_back(view);
		}
		return;
	}
	if (source != view->now.source) {
		return; /* of one that was replaced meanwhile */
	}
	if (reason != REASON_NONE) {
		session_raise(view->session, LIFE_VIEWER_LOST, reason,
				"the source did not become active");
		return;
	}
	const struct place_name name = { view->session->id, "stream" };
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		serves(view->now.encoding[kind]);
	}
	place_serves(&view->stream, &name);
}

void view_set_input(struct view *view, bool may_input) {
	if (view->now.may_input == may_input) {
		return;
	}
	view->now.may_input = may_input;
	struct ipc_message role = { .kind = IPC_DESKTOP_VIEWER_MAY,
		.desktop_viewer = { .viewer = view->id, .may_input = may_input } };
	child_post(view->now.desk->desktop, &role, NULL, 0);
	record_touch(view->session);
}

void view_desktop_gone(struct view *view, const struct desk *desk) {
	if (view && view->next.desk == desk) {
		view_switch_fails(view, REASON_DESKTOP_AGAIN);
	}
	if (view && view->now.desk == desk) {
		view->now.told = false; /* with the new desktop's input */
	}
}
