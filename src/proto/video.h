/* SPDX-License-Identifier: MIT */
#ifndef PROTO_VIDEO_H
#define PROTO_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "proto/fec.h"

/* Encoded pictures to datagrams (moonlight-common-c Video.h, RtpVideoQueue.c,
 * VideoDepacketizer.c). docs/protocol/media.md has the layouts.
 *
 * A frame becomes one to four blocks, a block data shards and then parity
 * shards, all of one size, so that a block is written back to back and goes
 * out with UDP segmentation offload. With encryption 32 clear bytes precede
 * each shard. The frame's bytes are copied once; nothing is allocated for a
 * packet. One thread. */
enum {
	VIDEO_SHARD_HEADER_SIZE = 32, /* RTP header and what follows it */
	VIDEO_FRAME_HEADER_SIZE = 8,  /* before the first byte of a frame */
	VIDEO_CRYPT_HEADER_SIZE = 32, /* IV, frame index, tag */
	VIDEO_PACKET_SIZE_MIN = 64,   /* of what ANNOUNCE calls packetSize */
	VIDEO_PACKET_SIZE_MAX = 1456,
	VIDEO_BLOCKS_MAX = 4,
	VIDEO_BLOCK_DATA_MAX = 1023, /* data shards, when there is no parity */
	VIDEO_INCARNATION_MAX = 0xffffff,
};

/* Flags of a shard. */
enum {
	VIDEO_FLAG_PICTURE = 1,
	VIDEO_FLAG_END = 2,
	VIDEO_FLAG_START = 4,
	VIDEO_EXTRA_LTR = 1,
};

/* What the first bytes of a frame say it is. */
enum video_frame_type {
	VIDEO_FRAME_P = 1,
	VIDEO_FRAME_IDR = 2, /* carries parameter sets */
	VIDEO_FRAME_INTRA_REFRESH = 4,
	VIDEO_FRAME_AFTER_INVALIDATION = 5, /* refers to nothing the client lost */
};

struct video_format {
	uint16_t packet_size; /* the client's packetSize: a shard without 16 bytes of RTP header */
	uint8_t fec_percent;  /* parity for data; 0 for none */
	uint8_t min_parity;   /* the client's minRequiredFecPackets; 2 at most counts */
	bool encrypted;
};

/* How a frame is cut. */
struct video_plan {
	uint16_t datagram_size; /* each one's, encryption header and all */
	uint16_t last_payload;  /* bytes of frame in the last data shard */
	uint8_t block_count;
	struct {
		uint16_t data, parity;
		uint8_t fec_percent; /* in force for this block, as told to the client */
	} blocks[VIDEO_BLOCKS_MAX];
};

/* -EINVAL for a packet size out of range, and for a frame that is empty or
 * longer than four blocks can carry. */
int video_plan_frame(const struct video_format *format, size_t frame_size,
		struct video_plan *out) NODISCARD;

static inline size_t video_plan_shards(const struct video_plan *plan, unsigned block) {
	return (size_t)plan->blocks[block].data + plan->blocks[block].parity;
}

/* Bytes of a block's datagrams. */
static inline size_t video_plan_size(const struct video_plan *plan, unsigned block) {
	return video_plan_shards(plan, block) * plan->datagram_size;
}

/* Where a stream is: all a successor needs. Flat. */
struct video_position {
	uint64_t next_iv;     /* under this incarnation */
	uint32_t next_packet; /* low 16 bits: RTP sequence; 24: the stream packet index */
	uint32_t next_frame;  /* index, the first is 1 */
	uint32_t incarnation; /* of the sender under this key: another process, another number */
};

struct gcm;

struct video_sender {
	struct video_format format;
	struct video_position position;
	struct gcm *gcm; /* owned; NULL when not encrypted */
	struct fec_cache cache;
};

/* A position of zeros starts at packet 0, frame 1. The key is not looked at
 * unless format->encrypted. -EINVAL for a format or incarnation out of range,
 * -ENOMEM. */
int video_sender_init(struct video_sender *sender, const struct video_format *format,
		const struct secret *key, const struct video_position *position) NODISCARD;
void video_sender_finish(struct video_sender *sender);

struct video_frame {
	const uint8_t *data; /* borrowed: Annex B or OBUs, parameter sets first */
	size_t size;
	enum video_frame_type type;
	uint32_t timestamp_90k;
	uint16_t latency_100us; /* of the host, 0 for unknown */
	bool ltr;               /* long-term reference: ask for its acknowledgement */
};

/* A frame on its way, with the numbers that are its own. */
struct video_batch {
	struct video_plan plan;
	uint64_t first_iv;
	uint32_t first_packet;
	uint32_t frame_index;
};

/* Plans a frame and takes its index, packet numbers and IVs: after this (and
 * before anything leaves) the position can be committed for a successor.
 * Errors of video_plan_frame(); nothing is taken then. */
int video_begin(struct video_sender *sender, const struct video_frame *frame,
		struct video_batch *out) NODISCARD;

/* Gives index and packet numbers back, when not one datagram of the batch was
 * sent and no other was begun since: indices must have no gaps. The IVs stay used. */
void video_abandon(struct video_sender *sender, const struct video_batch *batch);

/* Writes one block's datagrams back to back to out, which has room for
 * video_plan_size(). Blocks are to be sent in order, each once. -ENOMEM. */
int video_write_block(struct video_sender *sender, const struct video_frame *frame,
		const struct video_batch *batch, unsigned block, uint8_t *out) NODISCARD;

#endif
