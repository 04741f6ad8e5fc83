/* SPDX-License-Identifier: MIT */
#ifndef PROTO_VIDEO_SHARD_H
#define PROTO_VIDEO_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "proto/video_receive.h"

/* What one datagram of pictures says of itself, and what the payload in it begins with:
 * the pure part of video_receive.h. */

/* A shard's header, in the host's byte order. */
struct video_shard {
	uint16_t sequence;
	uint32_t timestamp_90k;
	uint32_t stream_index; /* 24 bits */
	uint32_t frame_index;
	uint8_t flags, extra;
	uint8_t block, last_block;
	uint16_t index, data;
	uint8_t fec_percent;
};

/* Whether a comes before b, numbers that wrap around. */
bool video_before16(uint16_t a, uint16_t b);
bool video_before32(uint32_t a, uint32_t b);

/* Reads RTP, NV and FEC header; whether there was enough says the reader. */
void video_shard_read(struct reader *r, struct video_shard *s);

/* How many parity shards the block of this one has. */
size_t video_shard_parity(const struct video_shard *s);

/* A frame of Annex B begins with a start code; clients skip to the first one, or assert
 * (VideoDepacketizer.c). */
bool video_frame_begins(enum video_codec codec, const uint8_t *b, size_t len);

/* Parameter sets and the beginning of a slice of an IDR must be in the first
 * shard: the client looks no further (processAvcHevcRtpPayloadSlow). */
bool video_starts_idr(enum video_codec codec, const uint8_t *b, size_t len);

#endif
