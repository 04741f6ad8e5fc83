/* SPDX-License-Identifier: MIT */
#ifndef PROTO_PING_H
#define PROTO_PING_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* The datagram by which a client shows where its video and audio sockets are,
 * every 500 ms (moonlight-common-c Video.h, SS_PING): 16 bytes that SETUP
 * handed out and a BE32 counter from 1. Old clients send the four letters
 * "PING" instead, which prove nothing. */
enum {
	PING_SECRET_SIZE = 16,
	PING_SIZE = 20,
};

enum ping_kind {
	PING_WITH_SECRET,
	PING_LEGACY,
};

struct ping {
	enum ping_kind kind;
	uint8_t secret[PING_SECRET_SIZE]; /* compare with bytes_equal_secretly() */
	uint32_t counter;
};

/* -EBADMSG for anything but the two forms. */
int ping_decode(const void *datagram, size_t len, struct ping *out) NODISCARD;

/* Writes the form with a secret. */
void ping_encode(const uint8_t secret[PING_SECRET_SIZE], uint32_t counter, uint8_t out[PING_SIZE]);

#endif
