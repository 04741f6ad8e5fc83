/* SPDX-License-Identifier: MIT */
#ifndef STREAM_CONTROL_H
#define STREAM_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "ipc/reason.h"
#include "proto/control.h"
#include "proto/control_message.h"
#include "proto/enet.h"

/* One viewer's control stream: the ENet connection, the envelope and what the
 * messages ask for. Datagrams and `now_ms` come in, calls and datagrams go out;
 * no fd, no clock.
 *
 * Nothing that arrives ends it but silence and ENet's own goodbye: what does not
 * decrypt, is replayed, unknown or malformed is counted and dropped. */
enum {
	STREAM_CONTROL_SILENCE_MS = 10000,
	STREAM_CONTROL_RESERVE = 256, /* sequences reserved at a time */
};

struct stream_control_events {
	/* Start B: the client has set everything up. */
	void (*started)(void *user);
	void (*key_wanted)(void *user);
	void (*frames_lost)(void *user, uint32_t first, uint32_t last);
	/* sequence: the client's own, of the message it came in, from 1 on. */
	void (*input)(void *user, uint64_t sequence, const uint8_t *data, size_t len);
	void (*fec_status)(void *user, const struct control_fec_status *status);
	/* CLIENT_LEFT or CLIENT_SILENT. Once. */
	void (*gone)(void *user, enum reason reason);
	/* Sequences below `end` will be used: to be made known to a successor
	 * before this returns. */
	void (*reserve)(void *user, uint64_t end);
};

struct stream_control_counters {
	uint64_t messages;
	uint64_t refused; /* did not decrypt, clear, replayed */
	uint64_t unknown; /* types we do not know */
	uint64_t malformed;
	uint64_t not_said; /* ours, for which ENet had no room */
};

struct stream_control {
	struct enet_peer peer;
	struct control_sealer sealer; /* owned */
	struct control_opener opener; /* owned */
	const struct stream_control_events *events;
	void *user;        /* borrowed, for events */
	bool accepted;     /* a CONNECT came */
	bool connected;    /* ENet's handshake is done */
	bool proven;       /* a message has decrypted */
	bool started;      /* start B was seen */
	bool gone;         /* events->gone was called, or we said goodbye */
	uint64_t heard_ms; /* when a datagram of this connection came last */
	uint32_t sequence; /* of the message that is being acted on */
	uint32_t connect_data;
	uint32_t connect_id; /* of the CONNECT that was accepted */
	uint16_t local_id;
	struct stream_control_counters counters;
};

/* first_sequence: of our first message; what a predecessor reserved is past. */
int stream_control_init(struct stream_control *control, const struct secret *key,
		uint32_t first_sequence, uint32_t connect_data, uint16_t local_id,
		const struct stream_control_events *events, void *user) NODISCARD;

/* What a predecessor left. */
struct stream_control_past {
	struct reader *enet; /* an enet_peer_save() */
	struct control_window seen;
	bool proven, started;
};

/* Goes on with its connection; after stream_control_init(). The silence of the
 * client is counted from now on. -EBADMSG, -ENOTSUP: not usable then. */
int stream_control_go_on(struct stream_control *control, const struct stream_control_past *past,
		uint64_t now_ms) NODISCARD;
void stream_control_finish(struct stream_control *control);

/* Judges the datagram of a control FLOW, the first one or one from elsewhere;
 * true when the connection belongs there from now on (the datagram is then
 * handled). The first must be a CONNECT with our connect data; so may a later
 * one until a message has decrypted; after that only a datagram with a message
 * that decrypts and was not seen before moves the connection. */
bool stream_control_offer(
		struct stream_control *control, const void *datagram, size_t len, uint64_t now_ms);

/* A datagram from where the connection belongs. */
void stream_control_receive(
		struct stream_control *control, const void *datagram, size_t len, uint64_t now_ms);

/* Looks at the clock: ENet's time limit and ours. Call after every
 * stream_control_transmit() series. */
void stream_control_tick(struct stream_control *control, uint64_t now_ms);

/* The next datagram to send, 0 for none; cap is at least ENET_MTU. */
size_t stream_control_transmit(
		struct stream_control *control, uint64_t now_ms, void *buf, size_t cap);

uint64_t stream_control_deadline_ms(const struct stream_control *control);

/* Queues a message, reliable on channel 0. -EPROTO before the connection
 * stands, -EAGAIN when ENet has no room (counted). */
int stream_control_say(
		struct stream_control *control, const struct control_message *message) NODISCARD;

/* 0x0109 with the code, then ENet's disconnect. Nobody is told that the viewer
 * is gone; finished when stream_control_is_over(). */
void stream_control_goodbye(struct stream_control *control, uint32_t code, uint64_t now_ms);
bool stream_control_is_over(const struct stream_control *control);

#endif
