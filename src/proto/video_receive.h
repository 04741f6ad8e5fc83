/* SPDX-License-Identifier: MIT */
#ifndef PROTO_VIDEO_RECEIVE_H
#define PROTO_VIDEO_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/video.h"

/* Datagrams to frames, as a client does it, so that the probe and the tests
 * judge a host by what real viewers would see. It keeps the rules of
 * moonlight-common-c's RtpVideoQueue.c (a newer frame or block ends an
 * incomplete one at once, order within a block is free) and of
 * VideoDepacketizer.c (what counts as a key frame, what is dropped until one
 * comes), but not its heuristics for asking early. What its debug builds assert about
 * the host counts as malformed. One thread. */
struct video_receiver;

enum video_codec {
	VIDEO_H264,
	VIDEO_HEVC,
	VIDEO_AV1,
};

struct video_receive_config {
	const struct secret *key; /* borrowed for create; NULL when not encrypted */
	enum video_codec codec;
	uint16_t packet_size;
	bool can_invalidate; /* lost frames are answered by invalidation, not by an IDR */
};

/* -EINVAL for a packet size out of range, -ENOMEM. */
int video_receiver_create(
		const struct video_receive_config *config, struct video_receiver **out) NODISCARD;
void video_receiver_destroy(struct video_receiver *receiver);

struct video_received {
	const uint8_t *data; /* borrowed until the next datagram */
	size_t size;
	enum video_frame_type type;
	uint32_t frame_index;
	uint32_t timestamp_90k;
	uint16_t latency_100us;
	bool ltr;
	bool key;       /* the client would take it for an IDR */
	bool decodable; /* false while it waits for one, or for an invalidation's answer */
};

/* Takes one datagram: 1 when it completed a frame, 0 when it was kept,
 * -EBADMSG for what is malformed or does not decrypt, -EPROTO for what a
 * client would ignore: old, twice, or out of its block's range. */
int video_receive(struct video_receiver *receiver, const void *datagram, size_t len,
		struct video_received *out) NODISCARD;

/* What the client would ask the host for. */
struct video_request {
	enum {
		VIDEO_ASK_NOTHING,
		VIDEO_ASK_IDR,
		VIDEO_ASK_INVALIDATE,
	} kind;
	uint32_t first, last; /* of VIDEO_ASK_INVALIDATE */
};

/* The request that is due, once. */
struct video_request video_receive_request(struct video_receiver *receiver);

/* What the client tells the host of the newest block that it had to rebuild or give up
 * (RtpVideoQueue.c, reportFinalFrameFecStatus): once, true when there is such a block.
 * To be asked after each datagram. */
struct control_fec_status;
bool video_receive_fec_status(struct video_receiver *receiver, struct control_fec_status *out);

struct video_receive_stats {
	uint64_t packets;     /* kept */
	uint64_t malformed;   /* or not decrypted, or at odds with the others of its block */
	uint64_t stale_ivs;   /* decrypted with a nonce that is not newer than all before */
	uint64_t ignored;     /* old, twice, out of range */
	uint64_t missing;     /* shards that others of their block had overtaken at its end */
	uint64_t recovered;   /* data shards rebuilt from parity */
	uint64_t fec_failed;  /* blocks given up incomplete */
	uint64_t corrupt;     /* blocks whose shards contradict each other */
	uint64_t frames;      /* whole */
	uint64_t frames_lost; /* indices passed over */
	uint64_t undecodable; /* whole, but dropped waiting */
};

const struct video_receive_stats *video_receive_stats(const struct video_receiver *receiver);

OWN_DEFINE(struct video_receiver *, video_receiver_destroy)

#endif
