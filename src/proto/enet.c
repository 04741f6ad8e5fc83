/* SPDX-License-Identifier: MIT */
#include "proto/enet.h"

#include "proto/enet_peer.h"

static void init(
		struct enet_peer *peer, enum enet_state state, uint16_t local_id, uint64_t now_ms) {
	memset(peer, 0, sizeof(*peer));
	peer->state = state;
	peer->local_id = local_id;
	peer->remote_id = ENET_ID_NONE;
	peer->mtu = ENET_MTU;
	peer->window = enet_window_for(0);
	peer->give_up_ms = now_ms + ENET_TIMEOUT_MS;
	peer->last_ack_ms = now_ms;
	enet_pace_init(&peer->pace);
}

int enet_peer_init_client(
		struct enet_peer *peer, const struct enet_client_config *config, uint64_t now_ms) {
	if (config->local_id >= ENET_ID_NONE || config->channels < 1 ||
			config->channels > ENET_CHANNELS_MAX) {
		return -EINVAL;
	}
	init(peer, ENET_CONNECTING, config->local_id, now_ms);
	peer->is_client = true;
	peer->proven = true;
	peer->channel_count = config->channels;
	peer->connect_id = config->connect_id;
	peer->connect_data = config->data;

	uint8_t body[44];
	struct writer w = writer_over(body, sizeof(body));
	writer_be16(&w, config->local_id);
	writer_u8(&w, 0xff); /* no session before this one, either way */
	writer_u8(&w, 0xff);
	writer_be32(&w, peer->mtu);
	writer_be32(&w, ENET_WINDOW);
	writer_be32(&w, config->channels);
	writer_be32(&w, 0); /* bandwidths: unlimited */
	writer_be32(&w, 0);
	writer_be32(&w, peer->pace.interval_ms);
	writer_be32(&w, peer->pace.acceleration);
	writer_be32(&w, peer->pace.deceleration);
	writer_be32(&w, config->connect_id);
	writer_be32(&w, config->data);
	enet_out_control(peer, ENET_CONNECT | ENET_FLAG_ACKNOWLEDGE, body, sizeof(body));
	return 0;
}

/* A session id is one more than the previous connection's on the same peer id,
 * so that its late datagrams are told apart; 0xff says there was none. */
static uint8_t next_session(uint8_t previous) {
	return (uint8_t)(previous + 1) & 3;
}

static void queue_verify(struct enet_peer *peer, const struct enet_connect *connect) {
	uint8_t body[40];
	struct writer w = writer_over(body, sizeof(body));
	writer_be16(&w, peer->local_id);
	writer_u8(&w, peer->out_session);
	writer_u8(&w, peer->in_session);
	writer_be32(&w, peer->mtu);
	writer_be32(&w, connect->window < ENET_WINDOW ? connect->window : ENET_WINDOW);
	writer_be32(&w, peer->channel_count);
	writer_be32(&w, 0); /* our bandwidths: unlimited */
	writer_be32(&w, 0);
	/* The client refuses the answer unless these four come back as it sent them. */
	writer_be32(&w, connect->throttle_interval);
	writer_be32(&w, connect->throttle_acceleration);
	writer_be32(&w, connect->throttle_deceleration);
	writer_be32(&w, connect->connect_id);
	enet_out_control(peer, ENET_VERIFY_CONNECT | ENET_FLAG_ACKNOWLEDGE, body, sizeof(body));
}

int enet_peer_accept(struct enet_peer *peer, const void *datagram, size_t len, uint16_t local_id,
		uint64_t now_ms) {
	struct enet_connect connect;
	int rc = enet_connect_peek(datagram, len, &connect);
	if (rc < 0) {
		return rc;
	}
	if (local_id >= ENET_ID_NONE) {
		return -EINVAL;
	}
	init(peer, ENET_ACCEPTING, local_id, now_ms);
	peer->credit = (uint32_t)len;
	peer->remote_id = connect.peer_id;
	peer->connect_id = connect.connect_id;
	peer->connect_data = connect.data;
	peer->out_session = next_session(connect.incoming_session);
	peer->in_session = next_session(connect.outgoing_session);
	peer->channel_count = (uint8_t)(connect.channels < ENET_CHANNELS_MAX ? connect.channels
									     : ENET_CHANNELS_MAX);
	if (connect.mtu < peer->mtu) {
		peer->mtu = (uint16_t)(connect.mtu > ENET_MTU_MIN ? connect.mtu : ENET_MTU_MIN);
	}
	peer->window = enet_window_for(connect.incoming_bandwidth);
	if (connect.window < peer->window) {
		peer->window = connect.window;
	}
	enet_pace_configure(&peer->pace, connect.throttle_interval, connect.throttle_acceleration,
			connect.throttle_deceleration);
	queue_verify(peer, &connect);
	return 0;
}

void enet_established(struct enet_peer *peer, uint64_t now_ms) {
	peer->state = ENET_CONNECTED;
	peer->give_up_ms = UINT64_MAX;
	peer->last_ack_ms = now_ms;
	peer->say_connected = true;
}

void enet_close(struct enet_peer *peer, enum enet_end end, uint32_t data) {
	peer->state = ENET_CLOSED;
	peer->give_up_ms = UINT64_MAX;
	peer->unanswered_ms = 0;
	peer->end = end;
	peer->end_data = data;
	peer->say_disconnected = true;
	enet_out_clear(peer);
	while (peer->in_count > peer->in_ready) {
		enet_in_remove(peer, peer->in_count - 1u);
	}
}

static void queue_disconnect(struct enet_peer *peer, uint8_t flag, uint32_t data) {
	uint8_t body[4];
	struct writer w = writer_over(body, sizeof(body));
	writer_be32(&w, data);
	enet_out_control(peer, (uint8_t)(ENET_DISCONNECT | flag), body, sizeof(body));
}

void enet_drain(struct enet_peer *peer) {
	if (peer->state == ENET_DRAINING && peer->out_count == 0) {
		peer->state = ENET_DISCONNECTING;
		queue_disconnect(peer, ENET_FLAG_ACKNOWLEDGE, peer->end_data);
	}
}

void enet_peer_disconnect(
		struct enet_peer *peer, enum enet_goodbye how, uint32_t data, uint64_t now_ms) {
	if (peer->state == ENET_CLOSED) {
		return;
	}
	bool open = peer->state == ENET_CONNECTED || peer->state == ENET_DRAINING;
	if (how == ENET_GOODBYE_NOW || (!open && peer->state != ENET_DISCONNECTING)) {
		enet_close(peer, ENET_END_LOCAL, data);
		if (peer->remote_id != ENET_ID_NONE) {
			queue_disconnect(peer, ENET_FLAG_UNSEQUENCED, data);
		}
		return;
	}
	if (!open) {
		return;
	}
	if (how == ENET_GOODBYE_SOON) {
		enet_out_clear(peer);
	}
	if (peer->state == ENET_CONNECTED) {
		peer->give_up_ms = now_ms + ENET_GOODBYE_MS;
	}
	peer->end_data = data;
	peer->state = ENET_DRAINING;
	enet_drain(peer);
}

uint8_t enet_peer_channels(const struct enet_peer *peer) {
	bool stands = peer->state != ENET_CONNECTING && peer->state != ENET_ACCEPTING;
	return stands ? peer->channel_count : 0;
}

struct enet_event enet_packet_event(const struct enet_peer *peer, unsigned i) {
	const struct enet_incoming *in = &peer->in[i];
	return (struct enet_event){
		.kind = ENET_EVENT_PACKET,
		.channel = in->channel,
		.delivery = (enum enet_delivery)in->delivery,
		.bytes = peer->in_bytes + in->at,
		.len = in->len,
	};
}

bool enet_peer_next_event(struct enet_peer *peer, struct enet_event *out) {
	if (peer->lent) {
		peer->lent = false;
		enet_in_remove(peer, 0);
	}
	if (peer->say_connected) {
		peer->say_connected = false;
		*out = (struct enet_event){ .kind = ENET_EVENT_CONNECTED,
			.data = peer->connect_data };
		return true;
	}
	if (peer->in_ready) {
		peer->lent = true;
		*out = enet_packet_event(peer, 0);
		return true;
	}
	if (peer->say_disconnected) {
		peer->say_disconnected = false;
		*out = (struct enet_event){
			.kind = ENET_EVENT_DISCONNECTED, .data = peer->end_data, .end = peer->end
		};
		return true;
	}
	return false;
}
