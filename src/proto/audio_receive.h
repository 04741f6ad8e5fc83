/* SPDX-License-Identifier: MIT */
#ifndef PROTO_AUDIO_RECEIVE_H
#define PROTO_AUDIO_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/audio.h"

/* Datagrams to Opus packets in order, for the probe and for tests: what was
 * lost is rebuilt when four of a group's six datagrams came, and given up when
 * a datagram of a later group comes first (RtpAudioQueue.c, without its
 * patience with networks that reorder across groups). One thread. */
enum {
	AUDIO_GROUPS_HELD = 4, /* groups between the one awaited and the newest */
};

struct audio_receiver;

/* The key is only needed for create; NULL when not encrypted. -ENOMEM. */
int audio_receiver_create(const struct audio_format *format, const struct secret *key,
		struct audio_receiver **out) NODISCARD;
void audio_receiver_destroy(struct audio_receiver *receiver);

/* Takes one datagram. -EBADMSG for what is malformed, -EPROTO for what a
 * client would ignore: old, twice, of another size than its group's. */
int audio_receive(struct audio_receiver *receiver, const void *datagram, size_t len) NODISCARD;

struct audio_received {
	const uint8_t *data; /* borrowed until the next call; NULL: lost, to be concealed */
	size_t size;
	uint16_t sequence;
	uint32_t timestamp; /* in ms */
};

/* The next packet in order: 0, -EAGAIN when none is due, or -EBADMSG when one
 * did not decrypt (it is skipped). To be called until it says -EAGAIN. */
int audio_receive_next(struct audio_receiver *receiver, struct audio_received *out) NODISCARD;

struct audio_receive_stats {
	uint64_t packets, parity; /* kept */
	uint64_t malformed, ignored;
	uint64_t contradicting; /* at odds with others of their group; counted as ignored, too */
	uint64_t recovered;
	uint64_t lost;
	uint64_t undecryptable;
};

const struct audio_receive_stats *audio_receive_stats(const struct audio_receiver *receiver);

OWN_DEFINE(struct audio_receiver *, audio_receiver_destroy)

#endif
