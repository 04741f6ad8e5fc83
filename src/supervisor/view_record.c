/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/page.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"
#include "supervisor/view_inside.h"

/* What a supervisor that takes over must know and have of a view. */

enum {
	SOCKETS = 1 + VIEW_OFFERS_MAX, /* of a flow: what was taken, then the offers */
};

/* NULL: there is none of that number. */
static const struct view_offer *socket_of(const struct view_flow *flow, unsigned i) {
	if (i == 0) {
		return flow->taken.fd >= 0 ? &flow->taken : NULL;
	}
	return i <= flow->count ? &flow->offers[i - 1] : NULL;
}

static uint64_t socket_id(const struct view *view, unsigned flow, unsigned i) {
	return (uint64_t)view->id << 8 | flow << 4 | i;
}

static void write_socket(const struct view *view, unsigned flow, unsigned i) {
	struct supervisor *supervisor = view->session->supervisor;
	const struct view_offer *offer = socket_of(&view->flows[flow], i);
	if (!offer) {
		record_drop(supervisor, IPC_FLOW, socket_id(view, flow, i));
		return;
	}
	struct ipc_message message = view_flow_message(view, (enum ipc_flow)flow, offer);
	record_note(supervisor, socket_id(view, flow, i), &message);
}

static uint32_t id_of(const struct encoding *encoding) {
	return encoding ? encoding->id : 0;
}

void view_write(const struct view *view) {
	const struct view_seat *now = &view->now, *next = &view->next;
	struct ipc_message message = {
		.kind = IPC_LEDGER_VIEW,
		.ledger_view = { .view = view->id,
				.session = view->session->id,
				.params = view->params,
				.opened = view->opened,
				.started = view->started,
				.source = now->source,
				.incarnation = view->incarnation,
				.desk = now->desk->id,
				.pictures = id_of(now->encoding[ENCODING_PICTURES]),
				.sound = id_of(now->encoding[ENCODING_SOUND]),
				.told = now->told,
				.may_input = now->may_input,
				.next_desk = next->desk ? next->desk->id : 0,
				.next_pictures = id_of(next->encoding[ENCODING_PICTURES]),
				.next_sound = id_of(next->encoding[ENCODING_SOUND]),
				.next_source = next->told ? next->source : 0,
				.next_may_input = next->may_input,
				.apart = line_is_apart(&view->line),
				.parted = view->line.parted },
	};
	record_note(view->session->supervisor, view->session->id, &message);
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		for (unsigned i = 0; i < SOCKETS; i++) {
			write_socket(view, flow, i);
		}
	}
}

/* bit: of view->kept. */
static void keep(struct view *view, unsigned bit, int fd, const char *name) {
	struct keep *holder = &view->session->supervisor->keep;
	if (fd >= 0) {
		keep_put(holder, fd, "v%u.%s", view->id, name);
		view->kept |= 1u << bit;
	} else if (view->kept & 1u << bit) {
		keep_drop(holder, "v%u.%s", view->id, name);
		view->kept &= ~(1u << bit);
	}
}

void view_keep(struct view *view) {
	unsigned bit = 0;
	keep(view, bit++, view->page.fd, "page");
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		for (unsigned i = 0; i < SOCKETS; i++) {
			const struct view_offer *offer = socket_of(&view->flows[flow], i);
			char name[16];
			text_format(name, sizeof(name), "flow%u.%u", flow, i);
			keep(view, bit++, offer ? offer->fd : -1, name);
		}
	}
	record_touch(view->session);
}

void view_forget(struct view *view) {
	struct supervisor *supervisor = view->session->supervisor;
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		for (unsigned i = 0; i < SOCKETS; i++) {
			record_drop(supervisor, IPC_FLOW, socket_id(view, flow, i));
		}
	}
	keep_drop(&supervisor->keep, "v%u.", view->id);
	record_touch(view->session);
}

static bool restore_socket(
		const struct view *view, unsigned flow, unsigned i, struct view_offer *out) {
	struct supervisor *supervisor = view->session->supervisor;
	struct ipc_message message;
	int fd = keep_take(&supervisor->keep, "v%u.flow%u.%u", view->id, flow, i);
	if (fd < 0 || ledger_get(&supervisor->ledger, IPC_FLOW, socket_id(view, flow, i),
				      &message) < 0) {
		fd_close(fd);
		return false;
	}
	*out = (struct view_offer){
		.fd = fd,
		.peer = message.flow.peer,
		.counter = message.flow.counter,
		.datagram_len = message.flow.datagram_len,
	};
	memcpy(out->datagram, message.flow.datagram, out->datagram_len);
	return true;
}

static void restore_flow(struct view *view, unsigned flow) {
	struct view_flow *out = &view->flows[flow];
	(void)restore_socket(view, flow, 0, &out->taken);
	for (unsigned i = 1; i < SOCKETS; i++) {
		out->count += restore_socket(view, flow, i, &out->offers[out->count]);
	}
}

static struct encoding *encoding_of(const struct desk *desk, uint32_t id) {
	return desk && id ? encoding_find(desk, id) : NULL;
}

/* On a desk that is no more it sits on its session's own, whose encodings are taken
 * when it is mended. */
static void restore_seats(struct view *view, const struct ipc_message *record) {
	const typeof(record->ledger_view) *from = &record->ledger_view;
	struct supervisor *supervisor = view->session->supervisor;
	struct desk *desk = desk_find(supervisor, from->desk);
	view->now = (struct view_seat){
		.desk = desk ? desk : view->session->desk,
		.encoding = { encoding_of(desk, from->pictures), encoding_of(desk, from->sound) },
		.source = from->source,
		.told = from->told && desk,
		.may_input = from->may_input || !from->desk,
	};
	desk = from->next_desk ? desk_find(supervisor, from->next_desk) : NULL;
	if (desk) {
		view->next = (struct view_seat){
			.desk = desk,
			.encoding = { encoding_of(desk, from->next_pictures),
					encoding_of(desk, from->next_sound) },
			.source = from->next_source,
			.told = from->next_source,
			.may_input = from->next_may_input,
		};
	}
}

int view_restore(struct session *session, const struct ipc_message *record, struct view **out) {
	struct keep *keep = &session->supervisor->keep;
	OWN(fd_close) int page = keep_take(keep, "v%u.page", record->ledger_view.view);
	struct shm shm;
	int rc = page < 0 ? -ENOENT : page_open(page, &shm);
	if (rc < 0) {
		return rc;
	}
	page = -1;
	struct view *view = view_make(session, record->ledger_view.view);
	if (!view) {
		shm_finish(&shm);
		return -ENOMEM;
	}
	view->page = shm;
	view->params = record->ledger_view.params;
	view->opened = record->ledger_view.opened;
	view->started = record->ledger_view.started;
	view->incarnation = record->ledger_view.incarnation;
	line_restore(&view->line, record->ledger_view.apart, record->ledger_view.parted,
			clock_now_ms());
	restore_seats(view, record);
	for (unsigned flow = 0; flow < FLOWS; flow++) {
		restore_flow(view, flow);
	}
	view_keep(view);
	*out = view;
	return 0;
}

/* It has answered every offer by now: an answer that is missing died with the
 * predecessor. Most offers are taken. */
static void settle_flows(struct view *view) {
	for (unsigned flow = 0; flow < FLOWS && view->started; flow++) {
		while (view->flows[flow].count > 0) {
			view_flow_answered(view, flow, true);
		}
	}
}

void view_answered(struct view *view, struct child *child, bool missed) {
	if (missed) {
		child_fence(child, REASON_SUPERVISOR_DIED, "it was told what nobody remembers");
	} else if (child == view->stream.child) {
		settle_flows(view);
	}
}

/* A move that was under way is decided by the stream, which says again what it did. */
void view_mend(struct view *view) {
	struct view_seat *now = &view->now;
	int rc = 0;
	for (int kind = 0; kind < ENCODING_KINDS; kind++) {
		if (!now->encoding[kind] && view->opened) {
			rc = view_take_encodings(view, now);
			break;
		}
		if (!now->encoding[kind] && rc >= 0) {
			rc = encoding_create(
					now->desk, (enum encoding_kind)kind, &now->encoding[kind]);
		}
	}
	if (rc < 0) {
		session_raise(view->session, LIFE_VIEWER_LOST, REASON_RESOURCES, strerror(-rc));
		return;
	}
	if (!view->stream.child && !view->stream.retry) {
		place_missed(&view->stream);
		view_start(view);
	} else {
		view_start_stream(view);
	}
	if (view->next.desk) {
		view_switch_fails(view, REASON_SUPERVISOR_DIED);
	}
}
