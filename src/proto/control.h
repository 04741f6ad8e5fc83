/* SPDX-License-Identifier: MIT */
#ifndef PROTO_CONTROL_H
#define PROTO_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* The control stream's envelope: what an ENet packet carries
 * (moonlight-common-c ControlStream.c, encryptControlMessage).
 *
 *   LE16 0x0001 | LE16 length of what follows | LE32 sequence | tag[16] | ciphertext
 *
 * Only the second scheme is spoken (SS_ENC_CONTROL_V2): AES-128-GCM under a
 * 12-byte IV made of the sequence and the sender. The first scheme uses the
 * same nonces in both directions and again after 256 messages; what is sealed
 * with it does not open here. Clear messages are refused as well.
 *
 * Not to be shared between threads. What is inside: proto/control_message.h. */
enum {
	CONTROL_OVERHEAD = 24,     /* envelope around a message */
	CONTROL_MESSAGE_MAX = 512, /* bytes of a message; clients send less than 256 */
	CONTROL_ENVELOPE_MAX = CONTROL_OVERHEAD + CONTROL_MESSAGE_MAX,
};

enum control_side {
	CONTROL_CLIENT = 'C',
	CONTROL_HOST = 'H',
};

struct gcm;

/* Seals what one side sends. Sequences are only used below `end`: whoever
 * must survive a takeover commits a reserve first and then moves `end` to it,
 * and the successor starts where the reserve ended. Gaps are allowed. */
struct control_sealer {
	struct gcm *gcm; /* owned */
	enum control_side side;
	uint64_t next; /* sequence of the next message */
	uint64_t end;  /* first sequence not reserved, at most CONTROL_SEQUENCE_END */
};

#define CONTROL_SEQUENCE_END (UINT64_C(1) << 32)

/* Starts at `first`, with every sequence from there on reserved; a client
 * starts at 0. -ENOMEM. */
int control_sealer_init(struct control_sealer *sealer, const struct secret *key,
		enum control_side side, uint32_t first) NODISCARD;
void control_sealer_finish(struct control_sealer *sealer);

/* Writes the envelope of len bytes (at most CONTROL_MESSAGE_MAX) to out.
 * -EAGAIN when the reserve is used up, -ENOSPC when out is too small; neither
 * uses a sequence. */
int control_seal(struct control_sealer *sealer, const void *message, size_t len, uint8_t *out,
		size_t out_size, size_t *out_len) NODISCARD;

/* Which of the last 64 sequences were seen. A window, because ENet keeps the
 * order only within a channel. Flat: it can be saved and put back. */
struct control_window {
	uint64_t seen; /* bit n: highest - n was seen; 0 before the first */
	uint32_t highest;
};

/* False for what was seen or is too old to tell. */
bool control_window_accepts(const struct control_window *window, uint32_t sequence);
void control_window_add(struct control_window *window, uint32_t sequence);

/* Opens what the other side sent, each message once. */
struct control_opener {
	struct gcm *gcm;        /* owned */
	enum control_side side; /* whose messages these are */
	struct control_window window;
};

int control_opener_init(struct control_opener *opener, const struct secret *key,
		enum control_side side) NODISCARD;
void control_opener_finish(struct control_opener *opener);

/* Opens one envelope into out, which has room for CONTROL_MESSAGE_MAX bytes,
 * and tells its sequence. -EBADMSG for anything malformed, clear or with a bad
 * tag, -EPROTO for a replay. Either is to be dropped and counted, never to end
 * the session: anybody can send datagrams. */
int control_open(struct control_opener *opener, const void *envelope, size_t len, uint8_t *out,
		size_t *out_len, uint32_t *out_sequence) NODISCARD;

#endif
