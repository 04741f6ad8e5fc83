/* SPDX-License-Identifier: MIT */
#ifndef PROTO_RTSP_SEAL_H
#define PROTO_RTSP_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"

/* The envelope of rtspenc:// (moonlight-common-c RtspConnection.c:93-244), for either
 * side:
 *
 *   be32 0x80000000 | length of the ciphertext
 *   be32 sequence, from 1 on, per direction, across the connections of a session
 *   u8[16] AES-128-GCM tag, no additional data
 *   ciphertext
 *
 * The IV is the sequence in little endian, zeros, and who speaks: 'C' or 'H', 'R'.
 * One thread at a time. */
enum {
	RTSP_SEAL_HEADER = 24,
	RTSP_SEAL_PLAIN_MAX = 16 * 1024,
	RTSP_SEAL_MAX = RTSP_SEAL_HEADER + RTSP_SEAL_PLAIN_MAX,
};

enum rtsp_seal_side {
	RTSP_SEAL_CLIENT,
	RTSP_SEAL_HOST,
};

struct evp_cipher_ctx_st;

struct rtsp_seal {
	enum rtsp_seal_side side;          /* ours */
	struct evp_cipher_ctx_st *sealing; /* owned; the key is in it */
	struct evp_cipher_ctx_st *opening; /* owned */
	uint32_t sent;                     /* sequence of our last message, 0 before */
	uint32_t received;                 /* and of the peer's last one that opened */
};

/* -ENOMEM. */
int rtsp_seal_init(struct rtsp_seal *seal, enum rtsp_seal_side side,
		const struct secret *rikey) NODISCARD;

/* Forgets the key; harmless twice and on a zeroed struct. */
void rtsp_seal_finish(struct rtsp_seal *seal);

/* How many bytes the message at data has in all: -EAGAIN while fewer than 4 are here,
 * -EBADMSG when it is no envelope, so a plain request too, -ENOSPC when too long.
 * Needs no key: a host that has several must read the whole message first. */
int rtsp_seal_measure(const void *data, size_t len) NODISCARD;

/* Opens one whole message into out, which has RTSP_SEAL_PLAIN_MAX bytes, and answers
 * the text's length. -EBADMSG when it is not whole or not sealed with this key by the
 * other side: nothing has changed then, so that many keys can be tried. -EPROTO for
 * a sequence number that is not above the last one. */
int rtsp_seal_open(struct rtsp_seal *seal, const void *data, size_t len, void *out) NODISCARD;

/* Seals text of 1 to RTSP_SEAL_PLAIN_MAX bytes into out, which has RTSP_SEAL_HEADER
 * more, and answers the message's length. -EINVAL for any other len, -EPROTO when the
 * sequence numbers are used up. */
int rtsp_seal_close(struct rtsp_seal *seal, const void *text, size_t len, void *out) NODISCARD;

#endif
