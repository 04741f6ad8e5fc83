/* SPDX-License-Identifier: MIT */
#include "proto/enet_peer.h"

/* The saved state: magic, version, then the tables below in their order; every
 * field little endian, nothing aligned, no pointer. Both directions walk the same
 * tables. Whoever changes a table counts VERSION up. */

enum {
	MAGIC = 0x54454e45, /* "ENET" */
	VERSION = 1,
	/* What enet_out.c keeps free, so that a loaded peer has room for its own. */
	LOAD_OUT_MAX = ENET_OUT_MAX - 2,
	LOAD_OUT_BYTES = ENET_OUT_BYTES - 128,
};

struct field {
	uint16_t at;
	uint8_t size;
	uint64_t max; /* a greater value was not saved by us */
};

#define FIELD(type, member, greatest) \
	{ offsetof(struct type, member), sizeof(((struct type *)0)->member), greatest }

/* clang-format off */
static const struct field peer_fields[] = {
	FIELD(enet_peer, state, ENET_STATES - 1),
	FIELD(enet_peer, is_client, 1),
	FIELD(enet_peer, proven, 1),
	FIELD(enet_peer, say_connected, 1),
	FIELD(enet_peer, say_disconnected, 1),
	FIELD(enet_peer, end, ENET_ENDS - 1),
	FIELD(enet_peer, local_id, ENET_ID_NONE - 1),
	FIELD(enet_peer, remote_id, ENET_ID_NONE),
	FIELD(enet_peer, in_session, 3),
	FIELD(enet_peer, out_session, 3),
	FIELD(enet_peer, connect_id, UINT32_MAX),
	FIELD(enet_peer, connect_data, UINT32_MAX),
	FIELD(enet_peer, end_data, UINT32_MAX),
	FIELD(enet_peer, mtu, ENET_MTU),
	FIELD(enet_peer, window, 65536),
	FIELD(enet_peer, credit, 2 * ENET_DATAGRAM_MAX),
	FIELD(enet_peer, give_up_ms, UINT64_MAX),
	FIELD(enet_peer, last_ack_ms, UINT64_MAX),
	FIELD(enet_peer, unanswered_ms, UINT64_MAX),
	FIELD(enet_peer, control_sequence, UINT16_MAX),
	FIELD(enet_peer, out_group, UINT16_MAX),
	FIELD(enet_peer, in_group, UINT16_MAX),
	FIELD(enet_peer, channel_count, ENET_CHANNELS_MAX),
	FIELD(enet_peer, ack_count, ENET_ACKS_MAX),
	FIELD(enet_peer, out_count, LOAD_OUT_MAX),
	FIELD(enet_peer, in_count, ENET_IN_MAX),
	FIELD(enet_peer, in_ready, ENET_IN_MAX),
	FIELD(enet_peer, pace.rtt_ms, UINT16_MAX),
	FIELD(enet_peer, pace.variance_ms, UINT16_MAX),
	FIELD(enet_peer, pace.lowest_rtt_ms, UINT16_MAX),
	FIELD(enet_peer, pace.highest_variance_ms, UINT16_MAX),
	FIELD(enet_peer, pace.last_rtt_ms, UINT16_MAX),
	FIELD(enet_peer, pace.last_variance_ms, UINT16_MAX),
	FIELD(enet_peer, pace.epoch_ms, UINT64_MAX),
	FIELD(enet_peer, pace.interval_ms, UINT32_MAX),
	FIELD(enet_peer, pace.throttle, ENET_THROTTLE_FULL),
	FIELD(enet_peer, pace.counter, ENET_THROTTLE_FULL - 1),
	FIELD(enet_peer, pace.acceleration, ENET_THROTTLE_FULL),
	FIELD(enet_peer, pace.deceleration, ENET_THROTTLE_FULL),
	FIELD(enet_peer, pace.measured, 1),
};

static const struct field channel_fields[] = {
	FIELD(enet_channel, out_reliable, UINT16_MAX),
	FIELD(enet_channel, out_unreliable, UINT16_MAX),
	FIELD(enet_channel, in_reliable, UINT16_MAX),
	FIELD(enet_channel, in_unreliable, UINT16_MAX),
};

static const struct field ack_fields[] = {
	FIELD(enet_ack, channel, UINT8_MAX),
	FIELD(enet_ack, sequence, UINT16_MAX),
	FIELD(enet_ack, sent_time, UINT16_MAX),
};

static const struct field out_fields[] = {
	FIELD(enet_outgoing, command, UINT8_MAX),
	FIELD(enet_outgoing, channel, UINT8_MAX),
	FIELD(enet_outgoing, sequence, UINT16_MAX),
	FIELD(enet_outgoing, start, UINT16_MAX),
	FIELD(enet_outgoing, len, ENET_MTU),
	FIELD(enet_outgoing, total, ENET_PACKET_MAX),
	FIELD(enet_outgoing, fragment_at, ENET_PACKET_MAX),
	FIELD(enet_outgoing, fragment, ENET_FRAGMENTS_MAX - 1),
	FIELD(enet_outgoing, fragments, ENET_FRAGMENTS_MAX),
	FIELD(enet_outgoing, attempts, UINT8_MAX),
	FIELD(enet_outgoing, in_flight, 1),
	FIELD(enet_outgoing, rto_ms, ENET_RTO_MAX_MS),
	FIELD(enet_outgoing, sent_ms, UINT64_MAX),
};

static const struct field in_fields[] = {
	FIELD(enet_incoming, delivery, ENET_UNSEQUENCED),
	FIELD(enet_incoming, channel, ENET_CHANNELS_MAX - 1),
	FIELD(enet_incoming, sequence, UINT16_MAX),
	FIELD(enet_incoming, unreliable, UINT16_MAX),
	FIELD(enet_incoming, len, ENET_PACKET_MAX),
	FIELD(enet_incoming, fragments, ENET_FRAGMENTS_MAX),
	FIELD(enet_incoming, fragment_len, ENET_PACKET_MAX),
	FIELD(enet_incoming, missing, UINT32_MAX),
};
/* clang-format on */

enum {
	PEER_SIZE = 160, /* generous; test_enet_save measures the whole */
	GROUPS_SIZE = ENET_UNSEQUENCED_WINDOW / 8,
	CHANNEL_SIZE = 8,
	ACK_SIZE = 5,
	OUT_SIZE = 28,
	IN_SIZE = 15,
	GREATEST = 6 + PEER_SIZE + GROUPS_SIZE + CHANNEL_SIZE * ENET_CHANNELS_MAX +
		   ACK_SIZE * ENET_ACKS_MAX + OUT_SIZE * ENET_OUT_MAX + ENET_OUT_BYTES +
		   IN_SIZE * ENET_IN_MAX + ENET_IN_BYTES,
};
_Static_assert((int)GREATEST <= (int)ENET_SAVE_MAX, "the whole state fits");

static void put(struct writer *w, const struct field *fields, size_t count, const void *base) {
	for (size_t i = 0; i < count; i++) {
		/* The host is little endian (base/bytes.h). */
		writer_copy(w, (const uint8_t *)base + fields[i].at, fields[i].size);
	}
}

static void get(struct reader *r, const struct field *fields, size_t count, void *base) {
	for (size_t i = 0; i < count; i++) {
		uint64_t value = 0;
		reader_copy(r, &value, fields[i].size);
		if (value > fields[i].max) {
			r->failed = true;
			value = 0;
		}
		memcpy((uint8_t *)base + fields[i].at, &value, fields[i].size);
	}
}

#define PUT(w, fields, base) put(w, fields, ARRAY_LEN(fields), base)
#define GET(r, fields, base) get(r, fields, ARRAY_LEN(fields), base)

int enet_peer_save(const struct enet_peer *peer, struct writer *w) {
	writer_le32(w, MAGIC);
	writer_le16(w, VERSION);
	PUT(w, peer_fields, peer);
	for (unsigned i = 0; i < ARRAY_LEN(peer->groups_seen); i++) {
		writer_le32(w, peer->groups_seen[i]);
	}
	for (unsigned i = 0; i < peer->channel_count; i++) {
		PUT(w, channel_fields, &peer->channels[i]);
	}
	for (unsigned i = 0; i < peer->ack_count; i++) {
		PUT(w, ack_fields, &peer->acks[i]);
	}
	for (unsigned i = 0; i < peer->out_count; i++) {
		PUT(w, out_fields, &peer->out[i]);
		writer_copy(w, peer->out_bytes + peer->out[i].at, peer->out[i].len);
	}
	for (unsigned i = 0; i < peer->in_count; i++) {
		PUT(w, in_fields, &peer->in[i]);
		writer_copy(w, peer->in_bytes + peer->in[i].at, peer->in[i].len);
	}
	return w->failed ? -ENOSPC : 0;
}

static bool out_makes_sense(const struct enet_peer *peer, const struct enet_outgoing *out) {
	uint8_t number = out->command & ENET_NUMBER_MASK;
	bool in_pieces = number == ENET_SEND_FRAGMENT || number == ENET_SEND_UNRELIABLE_FRAGMENT;
	bool packet = enet_carries_data(number);
	return ENET_HEADER_SIZE + enet_out_size(out) <= peer->mtu &&
	       (packet ? out->channel < peer->channel_count
		       : out->channel == ENET_CHANNEL_CONTROL &&
							       out->len == enet_body_size(number)) &&
	       in_pieces == (out->fragments > 0) &&
	       out->fragment < (in_pieces ? out->fragments : 1) &&
	       (!in_pieces || out->fragment_at + out->len <= out->total);
}

static bool in_makes_sense(
		const struct enet_peer *peer, const struct enet_incoming *in, bool ready) {
	uint32_t known = in->fragments ? UINT32_MAX >> (32 - in->fragments) : 0;
	return in->channel < peer->channel_count && !(in->missing & ~known) &&
	       (!ready || in->missing == 0) && (ready || in->delivery != ENET_UNSEQUENCED);
}

static void load_out(struct enet_peer *peer, struct reader *r) {
	for (unsigned i = 0; i < peer->out_count && !r->failed; i++) {
		struct enet_outgoing *out = &peer->out[i];
		GET(r, out_fields, out);
		if (!out_makes_sense(peer, out) || peer->out_used + out->len > LOAD_OUT_BYTES) {
			r->failed = true;
			return;
		}
		out->at = peer->out_used;
		reader_copy(r, peer->out_bytes + out->at, out->len);
		peer->out_used = (uint16_t)(peer->out_used + out->len);
	}
}

static void load_in(struct enet_peer *peer, struct reader *r) {
	for (unsigned i = 0; i < peer->in_count && !r->failed; i++) {
		struct enet_incoming *in = &peer->in[i];
		GET(r, in_fields, in);
		if (!in_makes_sense(peer, in, i < peer->in_ready) ||
				peer->in_used + in->len > ENET_IN_BYTES) {
			r->failed = true;
			return;
		}
		in->at = peer->in_used;
		reader_copy(r, peer->in_bytes + in->at, in->len);
		peer->in_used = (uint16_t)(peer->in_used + in->len);
	}
}

int enet_peer_load(struct enet_peer *peer, struct reader *r) {
	memset(peer, 0, sizeof(*peer));
	peer->state = ENET_CLOSED;
	uint32_t magic = reader_le32(r);
	uint16_t version = reader_le16(r);
	if (r->failed || magic != MAGIC) {
		return -EBADMSG;
	}
	if (version != VERSION) {
		return -ENOTSUP;
	}
	GET(r, peer_fields, peer);
	for (unsigned i = 0; i < ARRAY_LEN(peer->groups_seen); i++) {
		peer->groups_seen[i] = reader_le32(r);
	}
	for (unsigned i = 0; i < peer->channel_count && !r->failed; i++) {
		GET(r, channel_fields, &peer->channels[i]);
	}
	for (unsigned i = 0; i < peer->ack_count && !r->failed; i++) {
		GET(r, ack_fields, &peer->acks[i]);
	}
	if (peer->mtu < ENET_MTU_MIN || peer->channel_count < 1 ||
			peer->in_ready > peer->in_count) {
		r->failed = true;
	}
	load_out(peer, r);
	load_in(peer, r);
	if (r->failed) {
		memset(peer, 0, sizeof(*peer));
		peer->state = ENET_CLOSED;
		peer->give_up_ms = UINT64_MAX;
		return -EBADMSG;
	}
	return 0;
}
