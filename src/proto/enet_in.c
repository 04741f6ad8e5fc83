/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "proto/enet_peer.h"

enum place {
	PLACE_BEHIND, /* delivered before */
	PLACE_NEXT,
	PLACE_AHEAD,
	PLACE_BEYOND, /* further than an honest sender runs ahead */
};

static enum place place_of(uint16_t last, uint16_t sequence) {
	enum { REACH = 0x7000 }; /* ENet: seven windows of 4096 */
	uint16_t ahead = (uint16_t)(sequence - last);
	if (ahead == 0 || ahead >= 0x8000) {
		return PLACE_BEHIND;
	}
	return ahead == 1 ? PLACE_NEXT : ahead < REACH ? PLACE_AHEAD : PLACE_BEYOND;
}

void enet_in_remove(struct enet_peer *peer, unsigned i) {
	struct enet_incoming gone = peer->in[i];
	unsigned end = (unsigned)gone.at + gone.len;
	memmove(peer->in_bytes + gone.at, peer->in_bytes + end, peer->in_used - end);
	peer->in_used = (uint16_t)(peer->in_used - gone.len);
	peer->in_ready = (uint16_t)(peer->in_ready - (i < peer->in_ready));
	peer->in_count--;
	memmove(&peer->in[i], &peer->in[i + 1], (peer->in_count - i) * sizeof(peer->in[0]));
	for (unsigned k = 0; k < peer->in_count; k++) {
		if (peer->in[k].at > gone.at) {
			peer->in[k].at = (uint16_t)(peer->in[k].at - gone.len);
		}
	}
}

/* Unreliable packets of which a fragment is lost would stay for ever. */
static bool evict_incomplete(struct enet_peer *peer) {
	unsigned before = peer->in_count;
	for (unsigned i = peer->in_count; i-- > peer->in_ready;) {
		if (peer->in[i].delivery == ENET_UNRELIABLE && peer->in[i].missing) {
			enet_in_remove(peer, i);
		}
	}
	return peer->in_count < before;
}

/* A packet that is next in its channel may use all the room, others only a
 * part: so those that wait can never keep out the one they wait for. */
static bool has_room(const struct enet_peer *peer, size_t len, bool next) {
	if (peer->in_count >= ENET_IN_MAX || peer->in_used + len > ENET_IN_BYTES) {
		return false;
	}
	size_t bytes = len;
	for (unsigned i = peer->in_ready; i < peer->in_count; i++) {
		bytes += peer->in[i].len;
	}
	return next ||
	       (peer->in_count - peer->in_ready < ENET_WAITING_MAX && bytes <= ENET_WAITING_BYTES);
}
_Static_assert(ENET_IN_BYTES - ENET_WAITING_BYTES >= ENET_PACKET_MAX, "the next packet fits");

/* Returns the index of the new slot, whose bytes are zeros without payload. */
static int insert(struct enet_peer *peer, const struct enet_incoming *in, const uint8_t *payload,
		bool next) {
	if (!has_room(peer, in->len, next) &&
			(!evict_incomplete(peer) || !has_room(peer, in->len, next))) {
		return -EAGAIN;
	}
	struct enet_incoming *slot = &peer->in[peer->in_count];
	*slot = *in;
	slot->at = peer->in_used;
	if (payload) {
		memcpy(peer->in_bytes + slot->at, payload, in->len);
	} else {
		memset(peer->in_bytes + slot->at, 0, in->len);
	}
	peer->in_used = (uint16_t)(peer->in_used + in->len);
	return peer->in_count++;
}

static void make_ready(struct enet_peer *peer, unsigned i) {
	assert(i >= peer->in_ready && peer->in[i].missing == 0);
	struct enet_incoming in = peer->in[i];
	struct enet_incoming *at = &peer->in[peer->in_ready];
	memmove(at + 1, at, (i - peer->in_ready) * sizeof(*at));
	*at = in;
	peer->in_ready++;
}

/* The waiting packet with these sequence numbers, or -1. */
static int find(const struct enet_peer *peer, uint8_t channel, enum enet_delivery delivery,
		uint16_t sequence, uint16_t unreliable) {
	for (unsigned i = peer->in_ready; i < peer->in_count; i++) {
		const struct enet_incoming *in = &peer->in[i];
		if (in->channel == channel && in->delivery == delivery &&
				in->sequence == sequence && in->unreliable == unreliable) {
			return (int)i;
		}
	}
	return -1;
}

bool enet_peer_next_waiting(const struct enet_peer *peer, const struct enet_peer *before,
		unsigned *at, struct enet_event *out) {
	while (peer->in_ready + *at < peer->in_count) {
		unsigned i = peer->in_ready + (*at)++;
		const struct enet_incoming *in = &peer->in[i];
		if (!in->missing && find(before, in->channel, (enum enet_delivery)in->delivery,
						    in->sequence, in->unreliable) < 0) {
			*out = enet_packet_event(peer, i);
			return true;
		}
	}
	return false;
}

static int first_unreliable(const struct enet_peer *peer, uint8_t channel) {
	int first = -1;
	for (unsigned i = peer->in_ready; i < peer->in_count; i++) {
		const struct enet_incoming *in = &peer->in[i];
		if (in->channel == channel && in->delivery == ENET_UNRELIABLE && !in->missing &&
				in->sequence == peer->channels[channel].in_reliable &&
				(first < 0 || in->unreliable < peer->in[first].unreliable)) {
			first = (int)i;
		}
	}
	return first;
}

static void deliver_unreliable(struct enet_peer *peer, uint8_t channel) {
	for (int i; (i = first_unreliable(peer, channel)) >= 0;) {
		peer->channels[channel].in_unreliable = peer->in[i].unreliable;
		make_ready(peer, (unsigned)i);
	}
}

/* Forgets what waits but can no longer be delivered in order. */
static void purge(struct enet_peer *peer, uint8_t channel_id) {
	const struct enet_channel *channel = &peer->channels[channel_id];
	for (unsigned i = peer->in_count; i-- > peer->in_ready;) {
		const struct enet_incoming *in = &peer->in[i];
		bool reliable = in->delivery == ENET_RELIABLE;
		bool here = in->sequence == channel->in_reliable;
		bool behind = place_of(channel->in_reliable, in->sequence) == PLACE_BEHIND;
		if (in->channel == channel_id && behind &&
				(reliable || !here || in->unreliable <= channel->in_unreliable)) {
			enet_in_remove(peer, i);
		}
	}
}

/* Delivers all that is now in order. */
static void advance(struct enet_peer *peer, uint8_t channel_id) {
	struct enet_channel *channel = &peer->channels[channel_id];
	for (;;) {
		uint16_t next = (uint16_t)(channel->in_reliable + 1);
		int i = find(peer, channel_id, ENET_RELIABLE, next, 0);
		if (i < 0 || peer->in[i].missing) {
			break;
		}
		unsigned span = peer->in[i].fragments ? peer->in[i].fragments : 1;
		channel->in_reliable = (uint16_t)(channel->in_reliable + span);
		channel->in_unreliable = 0;
		make_ready(peer, (unsigned)i);
		deliver_unreliable(peer, channel_id);
	}
	purge(peer, channel_id);
}

static int duplicate(struct enet_peer *peer) {
	peer->counters.duplicates++;
	return 0;
}

int enet_in_reliable(struct enet_peer *peer, const struct enet_command *command) {
	struct enet_channel *channel = &peer->channels[command->channel];
	enum place place = place_of(channel->in_reliable, command->sequence);
	if (place == PLACE_BEYOND) {
		return -EPROTO;
	}
	if (place == PLACE_BEHIND ||
			find(peer, command->channel, ENET_RELIABLE, command->sequence, 0) >= 0) {
		return duplicate(peer);
	}
	struct enet_incoming in = {
		.delivery = ENET_RELIABLE,
		.channel = command->channel,
		.sequence = command->sequence,
		.len = command->payload_len,
	};
	if (in.len > ENET_PACKET_MAX) {
		return -EPROTO;
	}
	int rc = insert(peer, &in, command->payload, place == PLACE_NEXT);
	if (rc < 0) {
		return rc;
	}
	if (place == PLACE_NEXT) {
		advance(peer, command->channel);
	}
	return 0;
}

int enet_in_unreliable(struct enet_peer *peer, const struct enet_command *command) {
	struct enet_channel *channel = &peer->channels[command->channel];
	struct reader body = command->body;
	struct enet_incoming in = {
		.delivery = ENET_UNRELIABLE,
		.channel = command->channel,
		.sequence = command->sequence,
		.unreliable = reader_be16(&body),
		.len = command->payload_len,
	};
	bool here = in.sequence == channel->in_reliable;
	enum place place = place_of(channel->in_reliable, in.sequence);
	if (place == PLACE_BEYOND) {
		return -EPROTO;
	}
	if ((here ? in.unreliable <= channel->in_unreliable : place == PLACE_BEHIND) ||
			find(peer, in.channel, ENET_UNRELIABLE, in.sequence, in.unreliable) >= 0) {
		return duplicate(peer);
	}
	int rc = insert(peer, &in, command->payload, here);
	if (rc < 0) {
		return rc;
	}
	if (here) {
		deliver_unreliable(peer, in.channel);
		purge(peer, in.channel);
	}
	return 0;
}

/* Whether this group is new. Remembers the newest and the 1023 before it. */
static bool group_is_new(struct enet_peer *peer, uint16_t group) {
	uint16_t ahead = (uint16_t)(group - peer->in_group);
	if (ahead == 0 || ahead >= 0x8000) {
		unsigned bit = group % ENET_UNSEQUENCED_WINDOW;
		return (uint16_t)(peer->in_group - group) < ENET_UNSEQUENCED_WINDOW &&
		       !(peer->groups_seen[bit / 32] & UINT32_C(1) << bit % 32);
	}
	return true;
}

static void remember_group(struct enet_peer *peer, uint16_t group) {
	uint16_t ahead = (uint16_t)(group - peer->in_group);
	if (ahead < 0x8000) {
		for (unsigned i = 1; i <= ahead && i <= ENET_UNSEQUENCED_WINDOW; i++) {
			unsigned bit = (peer->in_group + i) % ENET_UNSEQUENCED_WINDOW;
			peer->groups_seen[bit / 32] &= ~(UINT32_C(1) << bit % 32);
		}
		peer->in_group = group;
	}
	unsigned bit = group % ENET_UNSEQUENCED_WINDOW;
	peer->groups_seen[bit / 32] |= UINT32_C(1) << bit % 32;
}

int enet_in_unsequenced(struct enet_peer *peer, const struct enet_command *command) {
	struct reader body = command->body;
	uint16_t group = reader_be16(&body);
	if (!group_is_new(peer, group)) {
		return duplicate(peer);
	}
	struct enet_incoming in = {
		.delivery = ENET_UNSEQUENCED,
		.channel = command->channel,
		.len = command->payload_len,
	};
	int rc = insert(peer, &in, command->payload, true);
	if (rc < 0) {
		return rc;
	}
	remember_group(peer, group);
	make_ready(peer, (unsigned)rc);
	return 0;
}

/* ENet cuts a packet into equal pieces and a rest. Whoever says so differently
 * from fragment to fragment wants to leave holes or overlaps: returns the size of
 * a piece, or 0 for fragments that no sender makes. */
static uint16_t piece_size(const struct enet_fragment *f) {
	if (f->count < 1 || f->count > ENET_FRAGMENTS_MAX || f->number >= f->count ||
			f->total > ENET_PACKET_MAX || f->at > f->total || f->len == 0 ||
			f->len > f->total - f->at) {
		return 0;
	}
	uint32_t piece = f->len;
	if (f->number == f->count - 1) {
		if (f->at + f->len != f->total) {
			return 0;
		}
		piece = f->count == 1 ? f->total : f->at / (f->count - 1);
	}
	bool even = f->at == f->number * piece && f->len <= piece &&
		    piece * (f->count - 1) < f->total && f->total <= piece * f->count;
	return even ? (uint16_t)piece : 0;
}

/* Finds or makes the slot of the packet this fragment belongs to. */
static int fragment_slot(struct enet_peer *peer, const struct enet_incoming *in, bool next) {
	int i = find(peer, in->channel, (enum enet_delivery)in->delivery, in->sequence,
			in->unreliable);
	if (i < 0) {
		return insert(peer, in, NULL, next);
	}
	const struct enet_incoming *is = &peer->in[i];
	bool same = is->len == in->len && is->fragments == in->fragments &&
		    is->fragment_len == in->fragment_len;
	return same ? i : -EPROTO;
}

static void fill(struct enet_peer *peer, struct enet_incoming *in, const struct enet_fragment *f,
		const uint8_t *payload) {
	uint32_t bit = UINT32_C(1) << f->number;
	if (in->missing & bit) {
		memcpy(peer->in_bytes + in->at + f->at, payload, f->len);
		in->missing &= ~bit;
	} else {
		peer->counters.duplicates++;
	}
}

static struct enet_incoming fragmented(const struct enet_command *command,
		const struct enet_fragment *f, enum enet_delivery delivery) {
	return (struct enet_incoming){
		.delivery = (uint8_t)delivery,
		.channel = command->channel,
		.len = (uint16_t)f->total,
		.fragments = (uint8_t)f->count,
		.missing = UINT32_MAX >> (32 - f->count),
	};
}

int enet_in_fragment(struct enet_peer *peer, const struct enet_command *command) {
	struct enet_channel *channel = &peer->channels[command->channel];
	struct enet_fragment f = enet_fragment_read(command->body);
	uint16_t piece = piece_size(&f);
	enum place place = place_of(channel->in_reliable, f.start);
	if (piece == 0 || place == PLACE_BEYOND ||
			(uint16_t)(f.start + f.number) != command->sequence) {
		return -EPROTO;
	}
	if (place == PLACE_BEHIND) {
		return duplicate(peer);
	}
	struct enet_incoming in = fragmented(command, &f, ENET_RELIABLE);
	in.fragment_len = piece;
	in.sequence = f.start;
	int i = fragment_slot(peer, &in, place == PLACE_NEXT);
	if (i < 0) {
		return i;
	}
	fill(peer, &peer->in[i], &f, command->payload);
	if (place == PLACE_NEXT && !peer->in[i].missing) {
		advance(peer, command->channel);
	}
	return 0;
}

int enet_in_unreliable_fragment(struct enet_peer *peer, const struct enet_command *command) {
	struct enet_channel *channel = &peer->channels[command->channel];
	struct enet_fragment f = enet_fragment_read(command->body);
	uint16_t piece = piece_size(&f);
	bool here = command->sequence == channel->in_reliable;
	enum place place = place_of(channel->in_reliable, command->sequence);
	if (piece == 0 || place == PLACE_BEYOND) {
		return -EPROTO;
	}
	if (here ? f.start <= channel->in_unreliable : place == PLACE_BEHIND) {
		return duplicate(peer);
	}
	struct enet_incoming in = fragmented(command, &f, ENET_UNRELIABLE);
	in.fragment_len = piece;
	in.sequence = command->sequence;
	in.unreliable = f.start;
	int i = fragment_slot(peer, &in, false);
	if (i < 0) {
		return i;
	}
	fill(peer, &peer->in[i], &f, command->payload);
	if (here && !peer->in[i].missing) {
		deliver_unreliable(peer, command->channel);
		purge(peer, command->channel);
	}
	return 0;
}
