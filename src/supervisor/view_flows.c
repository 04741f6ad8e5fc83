/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view_inside.h"

/* A view's sockets, for its stream and the stream's successors. */

struct ipc_message view_flow_message(
		const struct view *view, enum ipc_flow flow, const struct view_offer *offer) {
	struct ipc_message message = {
		.kind = IPC_FLOW,
		.flow = { .session = view->session->id,
				.flow = (uint8_t)flow,
				.peer = offer->peer,
				.counter = offer->counter,
				.datagram_len = offer->datagram_len },
	};
	memcpy(message.flow.datagram, offer->datagram, offer->datagram_len);
	return message;
}

static void send_offer(struct view *view, enum ipc_flow flow, const struct view_offer *offer) {
	struct ipc_message message = view_flow_message(view, flow, offer);
	child_post(view->stream.child, &message, &offer->fd, 1);
}

static void drop_first_offer(struct view_flow *flow) {
	fd_release(&flow->offers[0].fd);
	flow->count--;
	memmove(flow->offers, flow->offers + 1, flow->count * sizeof(flow->offers[0]));
	flow->offers[flow->count].fd = -1;
}

/* What the stream before this one had taken, then what it had not answered. */
void view_send_flows(struct view *view) {
	for (enum ipc_flow kind = FLOW_VIDEO; kind < FLOWS; kind++) {
		struct view_flow *flow = &view->flows[kind];
		if (flow->taken.fd >= 0) {
			if (flow->count == VIEW_OFFERS_MAX) {
				flow->count--;
				fd_release(&flow->offers[flow->count].fd);
			}
			memmove(flow->offers + 1, flow->offers,
					flow->count * sizeof(flow->offers[0]));
			flow->offers[0] = flow->taken;
			flow->taken.fd = -1;
			flow->count++;
		}
		for (unsigned i = 0; i < flow->count; i++) {
			send_offer(view, kind, &flow->offers[i]);
		}
	}
	view_keep(view);
}

static void keep_flow(struct view_flow *flow, bool taken) {
	if (flow->count == 0) {
		return;
	}
	if (taken) {
		fd_close(flow->taken.fd);
		flow->taken = flow->offers[0];
		flow->offers[0].fd = -1;
	}
	drop_first_offer(flow);
}

void view_flow_answered(struct view *view, unsigned flow, bool taken) {
	keep_flow(&view->flows[flow], taken);
	view_keep(view);
}

void view_flow(struct view *view, const struct ipc_message *message, int fd) {
	struct view_flow *flow = &view->flows[message->flow.flow];
	if (!view->started && flow->count == VIEW_OFFERS_MAX) {
		drop_first_offer(flow); /* nobody has seen it; newer is better */
	}
	if (flow->count == VIEW_OFFERS_MAX) {
		fd_close(fd); /* the client's next datagram comes to the gate again */
		return;
	}
	struct view_offer *offer = &flow->offers[flow->count++];
	*offer = (struct view_offer){
		.fd = fd,
		.peer = message->flow.peer,
		.counter = message->flow.counter,
		.datagram_len = message->flow.datagram_len,
	};
	memcpy(offer->datagram, message->flow.datagram, offer->datagram_len);
	view_keep(view);
	if (view->started) {
		send_offer(view, (enum ipc_flow)message->flow.flow, offer);
	}
}

void view_close_flows(struct view *view) {
	for (int flow = 0; flow < FLOWS; flow++) {
		fd_close(view->flows[flow].taken.fd);
		while (view->flows[flow].count > 0) {
			drop_first_offer(&view->flows[flow]);
		}
	}
}
