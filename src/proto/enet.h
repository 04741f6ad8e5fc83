/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ENET_H
#define PROTO_ENET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

/* One ENet connection (wire format of ENet 1.3.x, as Moonlight clients speak it
 * through cgutman/enet), without socket, clock, thread or allocation: datagrams
 * and `now_ms` (monotonic milliseconds) come in, datagrams and events go out.
 *
 *	if (enet_connect_peek(datagram, len, &connect) == 0) ... find the session
 *	enet_peer_accept(peer, datagram, len, our_id, now);
 *	loop:	enet_peer_receive(peer, datagram, len, now);
 *		while (enet_peer_next_event(peer, &event)) ... act
 *		while ((n = enet_peer_transmit(peer, now, buf, sizeof(buf)))) ... save, then send
 *		wait for a datagram or until enet_peer_next_deadline(peer)
 *
 * Everything is in the struct, which holds no pointer and never grows (about
 * 72 KiB, in the caller's memory; nothing to release). Any thread, one at a time.
 * The wire facts are from cgutman/enet protocol.h, protocol.c and peer.c; see
 * docs/protocol/enet.md for what differs from that library on purpose. */

enum {
	ENET_MTU = 900,           /* ours; the connection uses the smaller of both sides' */
	ENET_MTU_MIN = 576,       /* enet protocol.h */
	ENET_DATAGRAM_MAX = 4096, /* a longer one from the peer is malformed */
	ENET_CHANNELS_MAX = 64,   /* more asked for are negotiated down to this */
	ENET_ID_NONE = 0xfff,     /* peer id of a datagram from who has none yet */
	ENET_CONNECT_SIZE = 52,   /* a CONNECT is a datagram of its own */
	ENET_PACKET_MAX = 8192,   /* bytes of one packet, either way */
	ENET_FRAGMENTS_MAX = 32,  /* of one packet */
	ENET_WINDOW = 16384,      /* bytes of reliable data a client may have in flight to us */
	ENET_OUT_MAX = 128,       /* commands queued or unacknowledged */
	ENET_OUT_BYTES = 16384,   /* their payloads */
	ENET_IN_MAX = 512,        /* packets received and not yet taken */
	ENET_IN_BYTES = 32768,    /* their payloads */
	ENET_WAITING_MAX = 448,   /* of those: packets that wait for an earlier one */
	ENET_WAITING_BYTES = 24576,
	ENET_ACKS_MAX = 256,
	ENET_UNSEQUENCED_WINDOW = 1024, /* groups remembered against duplicates */
	ENET_TIMEOUT_MS = 10000,        /* moonlight-common-c ControlStream.c: 2, 10000, 10000 */
	ENET_RTO_MIN_MS = 25,
	ENET_RTO_MAX_MS = ENET_TIMEOUT_MS / 5, /* the fork's cap */
	ENET_GOODBYE_MS = 2000,                /* how long a disconnect may take */
	ENET_PING_MS = 500,
	ENET_SAVE_MAX = 64 * 1024, /* enet_peer_save() never needs more */
};

enum enet_delivery {
	ENET_RELIABLE,
	ENET_UNRELIABLE, /* in order, may be lost */
	ENET_UNSEQUENCED,
};

/* What a client says in its CONNECT. */
struct enet_connect {
	uint16_t peer_id; /* the client's own */
	uint8_t incoming_session, outgoing_session;
	uint32_t mtu;
	uint32_t window;
	uint32_t channels;
	uint32_t incoming_bandwidth, outgoing_bandwidth; /* bytes per second, 0 = any */
	uint32_t throttle_interval, throttle_acceleration, throttle_deceleration;
	uint32_t connect_id;
	uint32_t data; /* the session's secret for us: X-SS-Connect-Data */
};

/* Decodes a CONNECT without making any state, so that its secret can be judged
 * before anything is answered. -EBADMSG for every other datagram. */
int enet_connect_peek(const void *datagram, size_t len, struct enet_connect *out) NODISCARD;

/* The 12-bit peer id a datagram is addressed to: ENET_ID_NONE for a CONNECT. */
int enet_id_peek(const void *datagram, size_t len, uint16_t *out_id) NODISCARD;

enum enet_state {
	ENET_CONNECTING, /* client: CONNECT on its way */
	ENET_ACCEPTING,  /* host: VERIFY_CONNECT on its way */
	ENET_CONNECTED,
	ENET_DRAINING,      /* will disconnect when all is acknowledged */
	ENET_DISCONNECTING, /* DISCONNECT on its way */
	ENET_CLOSED,        /* still acknowledges a repeated DISCONNECT */
	ENET_STATES,
};

enum enet_end {
	ENET_END_PEER,    /* the other side disconnected */
	ENET_END_LOCAL,   /* we did, and it knows */
	ENET_END_TIMEOUT, /* it no longer answers, or did not answer our goodbye */
	ENET_ENDS,
};

enum enet_event_kind {
	ENET_EVENT_CONNECTED,
	ENET_EVENT_PACKET,
	ENET_EVENT_DISCONNECTED, /* always the last */
};

struct enet_event {
	enum enet_event_kind kind;
	uint32_t data;     /* CONNECTED: connect data; DISCONNECTED: the peer's code */
	enum enet_end end; /* DISCONNECTED */
	/* PACKET: bytes are borrowed until the next call on the peer. */
	uint8_t channel;
	enum enet_delivery delivery;
	const uint8_t *bytes;
	size_t len;
};

/* For metrics; not part of the saved state. */
struct enet_counters {
	uint64_t datagrams_in, datagrams_out;
	uint64_t malformed;     /* datagrams without any effect */
	uint64_t foreign;       /* datagrams for another peer id or session */
	uint64_t refused;       /* commands that are not allowed or make no sense */
	uint64_t full;          /* commands left unacknowledged for want of room */
	uint64_t duplicates;    /* packets that had been received already */
	uint64_t retransmitted; /* commands */
	uint64_t throttled;     /* unreliable packets dropped by the throttle */
};

struct enet_channel {
	uint16_t out_reliable, out_unreliable; /* last ones given out */
	uint16_t in_reliable, in_unreliable;   /* last ones delivered */
};

/* A command that is queued, or sent and not yet acknowledged. */
struct enet_outgoing {
	uint8_t command; /* number and flags, as on the wire */
	uint8_t channel;
	uint16_t sequence; /* reliable */
	uint16_t start;    /* unreliable sequence, unsequenced group or first fragment's */
	uint16_t len;      /* of its piece of out_bytes */
	uint16_t at;
	uint16_t total, fragment_at;
	uint8_t fragment, fragments;
	uint8_t attempts;
	bool in_flight;
	uint16_t rto_ms;
	uint64_t sent_ms;
};

/* A packet that is received, whole or in part. */
struct enet_incoming {
	uint8_t delivery;
	uint8_t channel;
	uint16_t sequence, unreliable;
	uint16_t len; /* of its piece of in_bytes */
	uint16_t at;
	uint8_t fragments; /* 0 when it came in one piece */
	uint16_t fragment_len;
	uint32_t missing; /* a bit for each fragment */
};

struct enet_ack {
	uint8_t channel;
	uint16_t sequence;
	uint16_t sent_time;
};

/* Round trip and throttle, as ENet reckons them. */
struct enet_pace {
	uint32_t rtt_ms, variance_ms;
	uint32_t lowest_rtt_ms, highest_variance_ms; /* of this interval */
	uint32_t last_rtt_ms, last_variance_ms;      /* of the previous one */
	uint64_t epoch_ms;
	uint32_t interval_ms;
	uint8_t throttle; /* of 32: how many unreliable packets pass */
	uint8_t counter, acceleration, deceleration;
	bool measured;
};

/* Open so that the caller can hold it; only enet_*.c touch the fields. */
struct enet_peer {
	enum enet_state state;
	bool is_client;
	bool proven; /* a datagram came that only the receiver of ours could write */
	bool say_connected, say_disconnected;
	bool lent; /* in[0] is with the caller */
	enum enet_end end;
	uint16_t local_id, remote_id;
	uint8_t in_session, out_session;
	uint32_t connect_id;
	uint32_t connect_data;
	uint32_t end_data;
	uint16_t mtu;
	uint32_t window;        /* bytes we may have in flight */
	uint32_t credit;        /* bytes an unproven peer may still be sent */
	uint64_t give_up_ms;    /* for states that must pass; UINT64_MAX else */
	uint64_t last_ack_ms;   /* when the peer last acknowledged something */
	uint64_t unanswered_ms; /* when the oldest overdue command was sent, 0 for none */

	uint16_t control_sequence;
	uint16_t out_group, in_group;
	uint32_t groups_seen[ENET_UNSEQUENCED_WINDOW / 32];
	uint8_t channel_count;
	struct enet_channel channels[ENET_CHANNELS_MAX];
	struct enet_pace pace;

	uint16_t ack_count;
	struct enet_ack acks[ENET_ACKS_MAX];
	/* In the order of queueing. The pieces of out_bytes lie without gaps. */
	uint16_t out_count, out_used;
	struct enet_outgoing out[ENET_OUT_MAX];
	/* The first in_ready are to be delivered in this order, the rest wait. */
	uint16_t in_count, in_ready, in_used;
	struct enet_incoming in[ENET_IN_MAX];
	uint8_t out_bytes[ENET_OUT_BYTES];
	uint8_t in_bytes[ENET_IN_BYTES];

	struct enet_counters counters;
};

struct enet_client_config {
	uint16_t local_id;   /* 0..0xffe, unique among this socket's connections */
	uint8_t channels;    /* 1..ENET_CHANNELS_MAX; Moonlight asks for 48 */
	uint32_t data;       /* connect data */
	uint32_t connect_id; /* random */
};

/* Begins a connection as a client. -EINVAL for a config out of range. */
int enet_peer_init_client(struct enet_peer *peer, const struct enet_client_config *config,
		uint64_t now_ms) NODISCARD;

/* Begins a connection as the host that received this CONNECT. Until the peer
 * has proven that it receives, no more bytes go out than came in. local_id is
 * of our choosing, 0..0xffe. -EBADMSG for anything but a CONNECT, -EINVAL. */
int enet_peer_accept(struct enet_peer *peer, const void *datagram, size_t len, uint16_t local_id,
		uint64_t now_ms) NODISCARD;

/* Takes a datagram. The result may be ignored, it is counted: 0 when it belongs
 * to this connection; -EBADMSG malformed (nothing changed), -ENOTSUP compressed,
 * -EPROTO for another peer id or session. No datagram ends a connection but a
 * well-formed DISCONNECT. */
int enet_peer_receive(struct enet_peer *peer, const void *datagram, size_t len, uint64_t now_ms);

/* The next event, false when there is none. A packet counts as taken at the
 * following call: a state saved in between holds it still, so that a successor
 * delivers it again rather than never. */
bool enet_peer_next_event(struct enet_peer *peer, struct enet_event *out);

/* For who judges a datagram on a copy of a connection: the next whole packet that waits for
 * an earlier one here and did not in `before`. *at is 0 for the first. False when there is
 * none. */
bool enet_peer_next_waiting(const struct enet_peer *peer, const struct enet_peer *before,
		unsigned *at, struct enet_event *out);

/* Queues a packet (bytes are copied). -EAGAIN when the queue is full; -EINVAL
 * for a channel that was not negotiated, or a length over ENET_PACKET_MAX, or
 * an unsequenced one that does not fit a datagram; -EPROTO unless connected. */
int enet_peer_send(struct enet_peer *peer, uint8_t channel, enum enet_delivery delivery,
		const void *bytes, size_t len) NODISCARD;

/* Writes the next datagram to send and returns its size, 0 when nothing is due.
 * cap is at least ENET_MTU. Also where timers act: call it at every deadline. */
size_t enet_peer_transmit(struct enet_peer *peer, uint64_t now_ms, void *buf, size_t cap);

/* When enet_peer_transmit() has something to do: 0 for at once, UINT64_MAX for
 * never. After it returned 0, always later than its now_ms. */
uint64_t enet_peer_next_deadline(const struct enet_peer *peer);

enum enet_goodbye {
	ENET_GOODBYE_LATER, /* after everything queued is acknowledged */
	ENET_GOODBYE_SOON,  /* drops what is queued; ends when acknowledged */
	ENET_GOODBYE_NOW,   /* one datagram, not repeated, and ends */
};

/* LATER and SOON end with a DISCONNECTED event within ENET_GOODBYE_MS. */
void enet_peer_disconnect(
		struct enet_peer *peer, enum enet_goodbye how, uint32_t data, uint64_t now_ms);

/* Negotiated channels; 0 before the connection stands. */
uint8_t enet_peer_channels(const struct enet_peer *peer);

/* The whole state, so that a successor process goes on with the connection. The
 * layout is flat, versioned and at most ENET_SAVE_MAX; an idle connection needs
 * about 800 bytes. -ENOSPC when the writer is too small. */
int enet_peer_save(const struct enet_peer *peer, struct writer *w) NODISCARD;

/* Reads one saved state, leaving the reader behind it. -EBADMSG for what no
 * enet_peer_save() wrote, -ENOTSUP for another layout version; then *peer is
 * not usable. now_ms is of the same clock as before. */
int enet_peer_load(struct enet_peer *peer, struct reader *r) NODISCARD;

#endif
