/* SPDX-License-Identifier: MIT */
#include "proto/enet_peer.h"

typedef int handler(struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms);

static int handle_ack(struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	struct reader body = command->body;
	uint16_t sequence = reader_be16(&body);
	uint16_t sent_time = reader_be16(&body);
	uint16_t rtt_ms = (uint16_t)(now_ms - sent_time);
	if (rtt_ms >= 0x8000) {
		return -EPROTO; /* of the future */
	}
	uint8_t number = enet_out_acknowledged(peer, command->channel, sequence);
	if (peer->is_client && peer->state == ENET_DISCONNECTING && number != ENET_DISCONNECT) {
		return -ECANCELED; /* as deaf as libenet, see handle_disconnect() */
	}
	if (number == 0) {
		return 0; /* the second answer to a command sent twice */
	}
	enet_pace_sample(&peer->pace, rtt_ms, now_ms);
	peer->last_ack_ms = now_ms;
	peer->unanswered_ms = 0;
	if (peer->state == ENET_ACCEPTING && number == ENET_VERIFY_CONNECT) {
		enet_established(peer, now_ms);
	} else if (peer->state == ENET_DISCONNECTING && number == ENET_DISCONNECT) {
		enet_close(peer, ENET_END_LOCAL, peer->end_data);
	}
	enet_drain(peer);
	return 0;
}

static int handle_verify(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	if (!peer->is_client) {
		return -EPROTO;
	}
	if (peer->state != ENET_CONNECTING) {
		return 0; /* our acknowledgement was lost: give it again */
	}
	struct reader b = command->body;
	uint16_t remote_id = reader_be16(&b);
	uint8_t in_session = reader_u8(&b), out_session = reader_u8(&b);
	uint32_t mtu = reader_be32(&b);
	uint32_t window = reader_be32(&b);
	uint32_t channels = reader_be32(&b);
	reader_take(&b, 8); /* the host's bandwidths */
	uint32_t interval = reader_be32(&b);
	uint32_t acceleration = reader_be32(&b), deceleration = reader_be32(&b);
	if (remote_id >= ENET_ID_NONE || channels < 1 || channels > 255 ||
			interval != peer->pace.interval_ms ||
			acceleration != peer->pace.acceleration ||
			deceleration != peer->pace.deceleration ||
			reader_be32(&b) != peer->connect_id) {
		return -EPROTO;
	}
	peer->remote_id = remote_id;
	peer->in_session = in_session & 3;
	peer->out_session = out_session & 3;
	if (channels < peer->channel_count) {
		peer->channel_count = (uint8_t)channels;
	}
	if (mtu < peer->mtu) {
		peer->mtu = (uint16_t)(mtu > ENET_MTU_MIN ? mtu : ENET_MTU_MIN);
	}
	if (window < peer->window) {
		peer->window = window;
	}
	enet_out_clear(peer); /* the CONNECT, which this answers */
	enet_established(peer, now_ms);
	return 0;
}

static int handle_disconnect(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	(void)now_ms;
	struct reader body = command->body;
	if (peer->state != ENET_CLOSED) {
		enet_close(peer, ENET_END_PEER, reader_be32(&body));
	}
	/* libenet, while it leaves, reads no further than to the first acknowledgement of
	 * anything else (protocol.c, enet_protocol_handle_acknowledge): it would not see
	 * ours behind the one to a message that it sent twice. */
	peer->ack_count = 0;
	return 0;
}

static int handle_ping(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	(void)peer;
	(void)command;
	(void)now_ms;
	return 0; /* its acknowledgement is all it wants */
}

static int handle_bandwidth(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	(void)now_ms;
	struct reader body = command->body;
	peer->window = enet_window_for(reader_be32(&body));
	return 0;
}

static int handle_throttle(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	(void)now_ms;
	struct reader b = command->body;
	uint32_t interval = reader_be32(&b);
	uint32_t acceleration = reader_be32(&b);
	enet_pace_configure(&peer->pace, interval, acceleration, reader_be32(&b));
	return 0;
}

static int handle_packet(
		struct enet_peer *peer, const struct enet_command *command, uint64_t now_ms) {
	static int (*const takers[ENET_COMMANDS])(
			struct enet_peer * peer, const struct enet_command *command) = {
		[ENET_SEND_RELIABLE] = enet_in_reliable,
		[ENET_SEND_UNRELIABLE] = enet_in_unreliable,
		[ENET_SEND_FRAGMENT] = enet_in_fragment,
		[ENET_SEND_UNSEQUENCED] = enet_in_unsequenced,
		[ENET_SEND_UNRELIABLE_FRAGMENT] = enet_in_unreliable_fragment,
	};
	(void)now_ms;
	if (command->channel >= peer->channel_count) {
		return -EPROTO;
	}
	return takers[command->number](peer, command);
}

struct rule {
	uint8_t states; /* in which the command is allowed, a bit each */
	handler *handle;
};

/* clang-format off */
enum {
	CI = 1 << ENET_CONNECTING,
	AC = 1 << ENET_ACCEPTING,
	CO = 1 << ENET_CONNECTED,
	DR = 1 << ENET_DRAINING,
	DI = 1 << ENET_DISCONNECTING,
	CL = 1 << ENET_CLOSED,
};

/* A CONNECT is not here: it is addressed to nobody, see repeated_connect(). A
 * CLOSED peer hears a DISCONNECT to acknowledge it again. */
static const struct rule rules[ENET_COMMANDS] = {
	[ENET_ACKNOWLEDGE]              = { AC | CO | DR | DI,           handle_ack },
	[ENET_VERIFY_CONNECT]           = { CI | CO | DR,                handle_verify },
	[ENET_DISCONNECT]               = { CI | AC | CO | DR | DI | CL, handle_disconnect },
	[ENET_PING]                     = { CO | DR,                     handle_ping },
	[ENET_SEND_RELIABLE]            = { CO | DR,                     handle_packet },
	[ENET_SEND_UNRELIABLE]          = { CO | DR,                     handle_packet },
	[ENET_SEND_FRAGMENT]            = { CO | DR,                     handle_packet },
	[ENET_SEND_UNSEQUENCED]         = { CO | DR,                     handle_packet },
	[ENET_BANDWIDTH_LIMIT]          = { CO | DR,                     handle_bandwidth },
	[ENET_THROTTLE_CONFIGURE]       = { CO | DR,                     handle_throttle },
	[ENET_SEND_UNRELIABLE_FRAGMENT] = { CO | DR,                     handle_packet },
};
/* clang-format on */

static void queue_ack(
		struct enet_peer *peer, const struct enet_command *command, uint16_t sent_time) {
	if (peer->ack_count >= ENET_ACKS_MAX) {
		peer->counters.full++; /* it will be sent again, and then acknowledged */
		return;
	}
	peer->acks[peer->ack_count++] = (struct enet_ack){
		.channel = command->channel,
		.sequence = command->sequence,
		.sent_time = sent_time,
	};
}

/* False when the rest of the datagram is not to be read. */
static bool apply(struct enet_peer *peer, const struct enet_header *header,
		const struct enet_command *command, uint64_t now_ms) {
	const struct rule *rule = &rules[command->number];
	int rc = -EPROTO;
	if (rule->states & 1u << peer->state) {
		rc = rule->handle(peer, command, now_ms);
	}
	if (rc == -EAGAIN) {
		peer->counters.full++;
	} else if (rc < 0) {
		peer->counters.refused++;
	} else if (command->wants_ack && header->has_sent_time) {
		queue_ack(peer, command, header->sent_time);
	}
	return rc != -ECANCELED;
}

/* Judged whole before the first command takes effect. */
static bool is_well_formed(struct reader r) {
	struct enet_command command;
	do {
		if (enet_command_read(&r, &command) < 0) {
			return false;
		}
	} while (r.left);
	return true;
}

/* The client repeats its CONNECT until it sees our answer. */
static int repeated_connect(struct enet_peer *peer, const void *datagram, size_t len) {
	struct enet_connect connect;
	int rc = enet_connect_peek(datagram, len, &connect);
	if (rc < 0) {
		peer->counters.malformed++;
		return rc;
	}
	if (peer->is_client || connect.connect_id != peer->connect_id ||
			connect.data != peer->connect_data || connect.peer_id != peer->remote_id) {
		peer->counters.foreign++;
		return -EPROTO;
	}
	if (!peer->proven && peer->credit < ENET_DATAGRAM_MAX) {
		peer->credit += (uint32_t)len;
	}
	return 0;
}

int enet_peer_receive(struct enet_peer *peer, const void *datagram, size_t len, uint64_t now_ms) {
	struct reader r = reader_over(datagram, len);
	struct enet_header header;
	peer->counters.datagrams_in++;
	if (len > ENET_DATAGRAM_MAX || enet_header_read(&r, &header) < 0) {
		peer->counters.malformed++;
		return -EBADMSG;
	}
	if (header.compressed) {
		peer->counters.malformed++;
		return -ENOTSUP;
	}
	if (header.peer_id == ENET_ID_NONE) {
		return repeated_connect(peer, datagram, len);
	}
	bool knows_session = peer->remote_id != ENET_ID_NONE;
	if (header.peer_id != peer->local_id ||
			(knows_session && header.session != peer->in_session)) {
		peer->counters.foreign++;
		return -EPROTO;
	}
	if (!is_well_formed(r)) {
		peer->counters.malformed++;
		return -EBADMSG;
	}
	peer->proven = true;
	while (r.left) {
		struct enet_command command;
		if (enet_command_read(&r, &command) < 0) {
			break; /* is_well_formed() has seen them all */
		}
		if (!apply(peer, &header, &command, now_ms)) {
			break;
		}
	}
	return 0;
}
