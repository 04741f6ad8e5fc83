/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

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
	struct ipc_message message = {
		.kind = IPC_FLOW,
		.flow = { .session = view->session->id,
				.flow = (uint8_t)flow,
				.peer = offer->peer,
				.counter = offer->counter,
				.datagram_len = offer->datagram_len },
	};
	memcpy(message.flow.datagram, offer->datagram, offer->datagram_len);
	record_note(supervisor, socket_id(view, flow, i), &message);
}

void view_write(const struct view *view) {
	struct ipc_message message = {
		.kind = IPC_LEDGER_VIEW,
		.ledger_view = { .view = view->id,
				.session = view->session->id,
				.params = view->params,
				.opened = view->opened,
				.started = view->started,
				.invalidation = view->invalidation,
				.source = view->source,
				.encoder = view->encoder,
				.incarnation = view->incarnation,
				.kinds_failed = view->kinds_failed,
				.desktop_gone = view->desktop_gone },
	};
	text_copy(message.ledger_view.encoder_name, sizeof(message.ledger_view.encoder_name),
			view->kind);
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
	static const char *const rings[VIEW_RINGS] = { "ring0", "ring1" };
	unsigned bit = 0;
	keep(view, bit++, view->page.fd, "page");
	for (unsigned ring = 0; ring < VIEW_RINGS; ring++) {
		keep(view, bit++, view->ring_fd[ring], rings[ring]);
	}
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
	view->invalidation = record->ledger_view.invalidation;
	view->source = record->ledger_view.source;
	view->encoder = record->ledger_view.encoder;
	view->incarnation = record->ledger_view.incarnation;
	view->kinds_failed = record->ledger_view.kinds_failed;
	view->desktop_gone = record->ledger_view.desktop_gone;
	text_copy(view->kind, sizeof(view->kind), record->ledger_view.encoder_name);
	for (unsigned ring = 0; ring < VIEW_RINGS; ring++) {
		view->ring_fd[ring] = keep_take(keep, "v%u.ring%u", view->id, ring);
	}
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
	} else if (child == view->worker[VIEW_STREAM].child) {
		settle_flows(view);
	}
}

void view_mend(struct view *view) {
	if (view->session->desk->desktop_ready) {
		view_desktop_back(view);
	}
	for (enum view_part part = VIEW_PICTURES; part < VIEW_PARTS; part++) {
		if (part != VIEW_PICTURES || !view->desktop_gone) {
			view_part_mend(view, part);
		}
	}
}
