/* SPDX-License-Identifier: MIT */
#include "proto/enet_peer.h"

#include <assert.h>

enum {
	/* Kept free of packets, so that pings and goodbyes always find room. */
	CONTROL_SLOTS = 4,
	CONTROL_BYTES = 128,
	/* How far a channel runs ahead of its oldest unacknowledged command: ENet
	 * accepts seven windows of this size. */
	SPAN_MAX = 0x1000,
	UNRELIABLE_LAST = 0xffff,
};

static bool wants_ack(const struct enet_outgoing *out) {
	return out->command & ENET_FLAG_ACKNOWLEDGE;
}

static uint8_t number_of(const struct enet_outgoing *out) {
	return out->command & ENET_NUMBER_MASK;
}

static bool is_packet(const struct enet_outgoing *out) {
	return enet_carries_data(number_of(out));
}

size_t enet_out_size(const struct enet_outgoing *out) {
	size_t fixed = is_packet(out) ? enet_body_size(number_of(out)) : 0;
	return ENET_COMMAND_HEADER_SIZE + fixed + out->len;
}

static void append(struct enet_peer *peer, const struct enet_outgoing *out, const void *bytes) {
	assert(peer->out_count < ENET_OUT_MAX && out->len <= ENET_OUT_BYTES - peer->out_used);
	struct enet_outgoing *slot = &peer->out[peer->out_count++];
	*slot = *out;
	slot->at = peer->out_used;
	if (out->len) {
		memcpy(peer->out_bytes + peer->out_used, bytes, out->len);
	}
	peer->out_used = (uint16_t)(peer->out_used + out->len);
}

static void remove_at(struct enet_peer *peer, unsigned i) {
	struct enet_outgoing gone = peer->out[i];
	unsigned end = (unsigned)gone.at + gone.len;
	memmove(peer->out_bytes + gone.at, peer->out_bytes + end, peer->out_used - end);
	peer->out_used = (uint16_t)(peer->out_used - gone.len);
	peer->out_count--;
	memmove(&peer->out[i], &peer->out[i + 1], (peer->out_count - i) * sizeof(peer->out[0]));
	/* Pieces lie in the order of the queue. */
	for (; i < peer->out_count; i++) {
		peer->out[i].at = (uint16_t)(peer->out[i].at - gone.len);
	}
}

void enet_out_clear(struct enet_peer *peer) {
	peer->out_count = 0;
	peer->out_used = 0;
}

void enet_out_control(struct enet_peer *peer, uint8_t command, const void *body, size_t len) {
	peer->control_sequence++;
	struct enet_outgoing out = {
		.command = command,
		.channel = ENET_CHANNEL_CONTROL,
		.sequence = peer->control_sequence,
		.len = (uint16_t)len,
	};
	append(peer, &out, body);
}

uint8_t enet_out_acknowledged(struct enet_peer *peer, uint8_t channel, uint16_t sequence) {
	for (unsigned i = 0; i < peer->out_count; i++) {
		const struct enet_outgoing *out = &peer->out[i];
		if (wants_ack(out) && out->attempts > 0 && out->channel == channel &&
				out->sequence == sequence) {
			uint8_t number = number_of(out);
			remove_at(peer, i);
			return number;
		}
	}
	return 0;
}

static bool has_room(const struct enet_peer *peer, size_t slots, size_t bytes) {
	return peer->out_count + slots + CONTROL_SLOTS <= ENET_OUT_MAX &&
	       peer->out_used + bytes + CONTROL_BYTES <= ENET_OUT_BYTES;
}

static void send_fragments(struct enet_peer *peer, uint8_t channel_id, bool reliable,
		const uint8_t *bytes, size_t len, size_t piece, size_t count) {
	struct enet_channel *channel = &peer->channels[channel_id];
	if (!reliable) {
		channel->out_unreliable++;
	}
	struct enet_outgoing out = {
		.command = reliable ? ENET_SEND_FRAGMENT | ENET_FLAG_ACKNOWLEDGE
				    : ENET_SEND_UNRELIABLE_FRAGMENT,
		.channel = channel_id,
		.sequence = channel->out_reliable,
		.start = reliable ? (uint16_t)(channel->out_reliable + 1) : channel->out_unreliable,
		.total = (uint16_t)len,
		.fragments = (uint8_t)count,
	};
	for (size_t i = 0; i < count; i++) {
		size_t at = i * piece;
		out.fragment = (uint8_t)i;
		out.fragment_at = (uint16_t)at;
		out.len = (uint16_t)(len - at < piece ? len - at : piece);
		if (reliable) {
			out.sequence = ++channel->out_reliable;
			channel->out_unreliable = 0;
		}
		append(peer, &out, bytes + at);
	}
}

static void send_whole(struct enet_peer *peer, uint8_t channel_id, enum enet_delivery delivery,
		const void *bytes, size_t len) {
	struct enet_channel *channel = &peer->channels[channel_id];
	struct enet_outgoing out = { .channel = channel_id, .len = (uint16_t)len };
	switch (delivery) {
	case ENET_RELIABLE:
		out.command = ENET_SEND_RELIABLE | ENET_FLAG_ACKNOWLEDGE;
		out.sequence = ++channel->out_reliable;
		channel->out_unreliable = 0;
		break;
	case ENET_UNRELIABLE:
		out.command = ENET_SEND_UNRELIABLE;
		out.sequence = channel->out_reliable;
		out.start = ++channel->out_unreliable;
		break;
	case ENET_UNSEQUENCED:
		out.command = ENET_SEND_UNSEQUENCED | ENET_FLAG_UNSEQUENCED;
		out.start = ++peer->out_group;
		break;
	}
	append(peer, &out, bytes);
}

int enet_peer_send(struct enet_peer *peer, uint8_t channel, enum enet_delivery delivery,
		const void *bytes, size_t len) {
	if (peer->state != ENET_CONNECTED) {
		return -EPROTO;
	}
	size_t piece = peer->mtu - (size_t)ENET_HEADER_SIZE - ENET_COMMAND_HEADER_SIZE -
		       ENET_FRAGMENT_BODY;
	size_t count = len > piece ? (len + piece - 1) / piece : 1;
	if (channel >= peer->channel_count || len > ENET_PACKET_MAX ||
			(count > 1 && delivery == ENET_UNSEQUENCED)) {
		return -EINVAL;
	}
	if (!has_room(peer, count, len)) {
		return -EAGAIN;
	}
	/* The unreliable sequence does not wrap; a reliable packet starts it anew. */
	if (delivery == ENET_UNRELIABLE &&
			peer->channels[channel].out_unreliable == UNRELIABLE_LAST) {
		delivery = ENET_RELIABLE;
	}
	if (count > 1) {
		send_fragments(peer, channel, delivery == ENET_RELIABLE, bytes, len, piece, count);
	} else {
		send_whole(peer, channel, delivery, bytes, len);
	}
	return 0;
}

static uint32_t bytes_in_flight(const struct enet_peer *peer) {
	uint32_t bytes = 0;
	for (unsigned i = 0; i < peer->out_count; i++) {
		const struct enet_outgoing *out = &peer->out[i];
		bytes += out->in_flight && is_packet(out) ? out->len : 0;
	}
	return bytes;
}

static uint16_t oldest_sequence(const struct enet_peer *peer, uint8_t channel) {
	unsigned i = 0;
	while (!wants_ack(&peer->out[i]) || peer->out[i].channel != channel) {
		i++;
	}
	return peer->out[i].sequence;
}

static size_t datagram_limit(const struct enet_peer *peer) {
	return peer->proven || peer->credit >= peer->mtu ? peer->mtu : peer->credit;
}

static bool may_send(
		const struct enet_peer *peer, const struct enet_outgoing *out, uint32_t in_flight) {
	if (out->in_flight || ENET_HEADER_SIZE + enet_out_size(out) > datagram_limit(peer)) {
		return false;
	}
	if (!wants_ack(out) || !is_packet(out)) {
		return true;
	}
	uint16_t span = (uint16_t)(out->sequence - oldest_sequence(peer, out->channel));
	uint32_t window = peer->window * peer->pace.throttle / ENET_THROTTLE_FULL;
	return span < SPAN_MAX && in_flight + out->len <= (window > peer->mtu ? window : peer->mtu);
}

static void put_command(
		struct writer *w, const struct enet_peer *peer, const struct enet_outgoing *out) {
	writer_u8(w, out->command);
	writer_u8(w, out->channel);
	writer_be16(w, out->sequence);
	if (is_packet(out)) {
		if (number_of(out) != ENET_SEND_RELIABLE) {
			writer_be16(w, out->start);
		}
		writer_be16(w, out->len);
	}
	if (out->fragments) {
		writer_be32(w, out->fragments);
		writer_be32(w, out->fragment);
		writer_be32(w, out->total);
		writer_be32(w, out->fragment_at);
	}
	writer_copy(w, peer->out_bytes + out->at, out->len);
}

static unsigned put_acks(struct writer *w, struct enet_peer *peer) {
	enum { ACK_SIZE = 8 };
	unsigned count = 0;
	while (count < peer->ack_count && count < ENET_DATAGRAM_COMMANDS && w->left >= ACK_SIZE) {
		const struct enet_ack *ack = &peer->acks[count++];
		writer_u8(w, ENET_ACKNOWLEDGE);
		writer_u8(w, ack->channel);
		writer_be16(w, ack->sequence);
		writer_be16(w, ack->sequence);
		writer_be16(w, ack->sent_time);
	}
	peer->ack_count = (uint16_t)(peer->ack_count - count);
	memmove(peer->acks, peer->acks + count, peer->ack_count * sizeof(peer->acks[0]));
	return count;
}

/* A packet is dropped whole: with the first of its fragments go the others. */
static void drop_packet(struct enet_peer *peer, unsigned i) {
	struct enet_outgoing first = peer->out[i];
	do {
		remove_at(peer, i);
	} while (first.fragments && i < peer->out_count && peer->out[i].channel == first.channel &&
			peer->out[i].command == first.command && peer->out[i].start == first.start);
	peer->counters.throttled++;
}

/* Returns true when the datagram needs a sent time. */
static bool put_queued(
		struct writer *w, struct enet_peer *peer, unsigned commands, uint64_t now_ms) {
	uint32_t in_flight = bytes_in_flight(peer);
	bool timed = false;
	for (unsigned i = 0; i < peer->out_count && commands < ENET_DATAGRAM_COMMANDS;) {
		struct enet_outgoing *out = &peer->out[i];
		if (!may_send(peer, out, in_flight)) {
			i++;
			continue;
		}
		if (enet_out_size(out) > w->left) {
			break;
		}
		bool reliable = wants_ack(out);
		if (!reliable && is_packet(out) && out->fragment == 0 &&
				!enet_pace_passes(&peer->pace)) {
			drop_packet(peer, i);
			continue;
		}
		put_command(w, peer, out);
		commands++;
		if (!reliable) {
			remove_at(peer, i);
			continue;
		}
		timed = true;
		peer->counters.retransmitted += out->attempts > 0;
		out->rto_ms = enet_pace_rto(&peer->pace, out->attempts);
		out->attempts = (uint8_t)(out->attempts + (out->attempts < UINT8_MAX));
		out->in_flight = true;
		out->sent_ms = now_ms;
		in_flight += is_packet(out) ? out->len : 0;
		i++;
	}
	return timed;
}

/* Makes overdue commands sendable again; ends a connection that is dead. */
static void check_overdue(struct enet_peer *peer, uint64_t now_ms) {
	if (now_ms >= peer->give_up_ms) {
		enet_close(peer, ENET_END_TIMEOUT, 0);
		return;
	}
	for (unsigned i = 0; i < peer->out_count; i++) {
		struct enet_outgoing *out = &peer->out[i];
		if (!out->in_flight || now_ms < out->sent_ms + out->rto_ms) {
			continue;
		}
		if (peer->unanswered_ms == 0 || out->sent_ms < peer->unanswered_ms) {
			peer->unanswered_ms = out->sent_ms;
		}
		if (now_ms - peer->unanswered_ms >= ENET_TIMEOUT_MS) {
			enet_close(peer, ENET_END_TIMEOUT, 0);
			return;
		}
		out->in_flight = false;
	}
}

static bool awaits_ack(const struct enet_peer *peer) {
	for (unsigned i = 0; i < peer->out_count; i++) {
		if (wants_ack(&peer->out[i])) {
			return true;
		}
	}
	return false;
}

size_t enet_peer_transmit(struct enet_peer *peer, uint64_t now_ms, void *buf, size_t cap) {
	assert(cap >= peer->mtu);
	enet_drain(peer);
	check_overdue(peer, now_ms);
	if (peer->state == ENET_CONNECTED && !awaits_ack(peer) &&
			now_ms >= peer->last_ack_ms + ENET_PING_MS) {
		enet_out_control(peer, ENET_PING | ENET_FLAG_ACKNOWLEDGE, NULL, 0);
	}

	size_t limit = datagram_limit(peer);
	if (limit <= ENET_HEADER_SIZE) {
		return 0;
	}
	uint8_t *bytes = (uint8_t *)buf;
	struct writer w = writer_over(bytes + ENET_HEADER_SIZE, limit - ENET_HEADER_SIZE);
	unsigned acks = put_acks(&w, peer);
	bool timed = put_queued(&w, peer, acks, now_ms);
	assert(!w.failed);
	size_t body = limit - ENET_HEADER_SIZE - w.left;
	if (body == 0) {
		return 0;
	}

	struct enet_header header = {
		.peer_id = peer->remote_id,
		.session = peer->remote_id == ENET_ID_NONE ? 0 : peer->out_session,
		.has_sent_time = timed,
		.sent_time = (uint16_t)now_ms,
	};
	w = writer_over(bytes, ENET_HEADER_SIZE);
	enet_header_write(&w, &header);
	size_t head = ENET_HEADER_SIZE - w.left;
	memmove(bytes + head, bytes + ENET_HEADER_SIZE, body);
	if (!peer->proven) {
		peer->credit -= (uint32_t)(head + body);
	}
	peer->counters.datagrams_out++;
	return head + body;
}

uint64_t enet_peer_next_deadline(const struct enet_peer *peer) {
	if (peer->ack_count && datagram_limit(peer) > ENET_HEADER_SIZE) {
		return 0;
	}
	uint64_t deadline = peer->give_up_ms;
	uint32_t in_flight = bytes_in_flight(peer);
	for (unsigned i = 0; i < peer->out_count; i++) {
		const struct enet_outgoing *out = &peer->out[i];
		if (may_send(peer, out, in_flight)) {
			return 0;
		}
		uint64_t due = out->in_flight ? out->sent_ms + out->rto_ms : UINT64_MAX;
		deadline = due < deadline ? due : deadline;
	}
	uint64_t ping = peer->last_ack_ms + ENET_PING_MS;
	if (peer->state == ENET_CONNECTED && ping < deadline && !awaits_ack(peer)) {
		deadline = ping;
	}
	return deadline;
}
