/* SPDX-License-Identifier: MIT */
#include "proto/video.h"

#include <assert.h>
#include <errno.h>

#include "base/bytes.h"
#include "proto/gcm.h"

enum {
	RTP_HEADER = 0x90, /* version 2 with an extension */
	RTP_SIZE = 16,     /* and its four reserved bytes */
	MULTI_FEC_FLAGS = 0x10,
	FRAME_HEADER_SHORT = 0x01,
	MIN_PARITY_MAX = 2, /* beyond it the client's own arithmetic is off */
};

static size_t payload_size(uint16_t packet_size) {
	return packet_size - (size_t)(VIDEO_SHARD_HEADER_SIZE - RTP_SIZE);
}

static size_t divide_up(size_t a, size_t b) {
	return (a + b - 1) / b;
}

/* The client computes parity from the percentage, so when the minimum rules it
 * must be told a percentage that gives it (RtpVideoQueue.c). */
static void block_plan(const struct video_format *format, bool with_fec, size_t data,
		uint16_t *out_parity, uint8_t *out_percent) {
	size_t percent = with_fec ? format->fec_percent : 0;
	size_t parity = divide_up(data * percent, 100);
	size_t least = format->min_parity < MIN_PARITY_MAX ? format->min_parity : MIN_PARITY_MAX;
	if (percent && parity < least) {
		parity = least;
		percent = 100 * least / data;
	}
	*out_parity = (uint16_t)parity;
	*out_percent = (uint8_t)percent;
}

int video_plan_frame(const struct video_format *format, size_t frame_size, struct video_plan *out) {
	uint16_t packet_size = format->packet_size;
	if (packet_size < VIDEO_PACKET_SIZE_MIN || packet_size > VIDEO_PACKET_SIZE_MAX) {
		return -EINVAL;
	}
	size_t payload = payload_size(packet_size);
	if (frame_size == 0 || frame_size > VIDEO_BLOCKS_MAX * VIDEO_BLOCK_DATA_MAX * payload) {
		return -EINVAL;
	}
	size_t total = frame_size + VIDEO_FRAME_HEADER_SIZE;
	size_t shards = divide_up(total, payload);
	size_t most = 100 * FEC_SHARDS_MAX / (100 + (size_t)format->fec_percent);
	bool with_fec = format->fec_percent != 0 && shards <= VIDEO_BLOCKS_MAX * most;
	size_t blocks = divide_up(shards, with_fec ? most : VIDEO_BLOCK_DATA_MAX);
	if (blocks > VIDEO_BLOCKS_MAX) {
		return -EINVAL;
	}
	size_t around = RTP_SIZE + (format->encrypted ? (size_t)VIDEO_CRYPT_HEADER_SIZE : 0);
	struct video_plan plan = {
		.datagram_size = (uint16_t)(packet_size + around),
		.last_payload = (uint16_t)(total - (shards - 1) * payload),
		.block_count = (uint8_t)blocks,
	};
	for (size_t i = 0; i < blocks; i++) {
		size_t data = shards / blocks + (i < shards % blocks);
		plan.blocks[i].data = (uint16_t)data;
		block_plan(format, with_fec, data, &plan.blocks[i].parity,
				&plan.blocks[i].fec_percent);
	}
	*out = plan;
	return 0;
}

int video_sender_init(struct video_sender *sender, const struct video_format *format,
		const struct secret *key, const struct video_position *position) {
	struct video_plan plan;
	if (position->incarnation > VIDEO_INCARNATION_MAX ||
			video_plan_frame(format, 1, &plan) < 0) {
		return -EINVAL;
	}
	struct gcm *gcm = NULL;
	if (format->encrypted) {
		int rc = gcm_create(key, GCM_SEAL, &gcm);
		if (rc < 0) {
			return rc;
		}
	}
	*sender = (struct video_sender){ .format = *format, .position = *position, .gcm = gcm };
	if (sender->position.next_frame == 0) {
		sender->position.next_frame = 1;
	}
	return 0;
}

void video_sender_finish(struct video_sender *sender) {
	gcm_destroy(TAKE(sender->gcm, NULL));
	fec_cache_finish(&sender->cache);
}

int video_begin(struct video_sender *sender, const struct video_frame *frame,
		struct video_batch *out) {
	struct video_plan plan;
	int rc = video_plan_frame(&sender->format, frame->size, &plan);
	if (rc < 0) {
		return rc;
	}
	struct video_position *position = &sender->position;
	*out = (struct video_batch){
		.plan = plan,
		.first_iv = position->next_iv,
		.first_packet = position->next_packet,
		.frame_index = position->next_frame,
	};
	size_t shards = 0;
	for (unsigned i = 0; i < plan.block_count; i++) {
		shards += video_plan_shards(&plan, i);
	}
	position->next_iv += sender->gcm ? shards : 0;
	position->next_packet += (uint32_t)shards;
	position->next_frame++;
	return 0;
}

void video_abandon(struct video_sender *sender, const struct video_batch *batch) {
	sender->position.next_packet = batch->first_packet;
	sender->position.next_frame = batch->frame_index;
}

/* One block being written. */
struct block {
	const struct video_frame *frame;
	const struct video_batch *batch;
	unsigned index;
	size_t data, parity;
	size_t first_data;     /* shards of the frame before this block's */
	uint32_t first_packet; /* number of its first shard */
	uint64_t first_iv;
	size_t packet_size;
	uint8_t *shards; /* the first; datagram_size apart */
};

static uint8_t *shard_at(const struct block *block, size_t i) {
	return block->shards + i * block->batch->plan.datagram_size;
}

static void rtp_write(const struct block *block, size_t i, struct writer *w) {
	writer_u8(w, RTP_HEADER);
	writer_u8(w, 0);
	writer_be16(w, (uint16_t)(block->first_packet + i));
	writer_be32(w, block->frame->timestamp_90k);
	writer_be32(w, 0); /* SSRC */
	writer_be32(w, 0); /* reserved */
}

static void fec_fields_write(const struct block *block, size_t i, struct writer *w) {
	const struct video_plan *plan = &block->batch->plan;
	unsigned last = plan->block_count - 1U;
	writer_u8(w, MULTI_FEC_FLAGS);
	writer_u8(w, (uint8_t)(block->index << 4 | last << 6));
	writer_le32(w, (uint32_t)(i << 12 | block->data << 22 |
				       (size_t)plan->blocks[block->index].fec_percent << 4));
}

static void data_header_write(const struct block *block, size_t i, struct writer *w) {
	unsigned flags = VIDEO_FLAG_PICTURE;
	flags |= i == 0 ? VIDEO_FLAG_START : 0U;
	flags |= i == block->data - 1 ? VIDEO_FLAG_END : 0U;
	rtp_write(block, i, w);
	/* 24 bits that count on where the RTP sequence has wrapped. */
	writer_le32(w, (uint32_t)(block->first_packet + i) << 8);
	writer_le32(w, block->batch->frame_index);
	writer_u8(w, (uint8_t)flags);
	writer_u8(w, block->frame->ltr ? VIDEO_EXTRA_LTR : 0);
	fec_fields_write(block, i, w);
}

static void frame_header_write(const struct block *block, struct writer *w) {
	writer_u8(w, FRAME_HEADER_SHORT);
	writer_le16(w, block->frame->latency_100us);
	writer_u8(w, (uint8_t)block->frame->type);
	writer_le16(w, block->batch->plan.last_payload);
	writer_le16(w, 0);
}

static void data_shard_write(const struct block *block, size_t i) {
	struct writer w = writer_over(shard_at(block, i), block->packet_size + RTP_SIZE);
	data_header_write(block, i, &w);
	size_t payload = w.left;
	size_t at = (block->first_data + i) * payload; /* in the frame with its header */
	if (at == 0) {
		frame_header_write(block, &w);
	} else {
		at -= VIDEO_FRAME_HEADER_SIZE;
	}
	size_t left = block->frame->size - at;
	writer_copy(&w, block->frame->data + at, left < w.left ? left : w.left);
	memset(w.at, 0, w.left); /* the code covers whole shards */
	assert(!w.failed);
}

/* Recovery rebuilds the stream packet index, the flags and the payload from
 * parity but takes the other fields from the shard's own header, so exactly
 * those are left as the code made them (RtpVideoQueue.c, reconstructFrame). */
static void parity_header_write(const struct block *block, size_t i) {
	struct writer w = writer_over(shard_at(block, i), VIDEO_SHARD_HEADER_SIZE);
	rtp_write(block, i, &w);
	writer_take(&w, 4); /* stream packet index */
	writer_le32(&w, block->batch->frame_index);
	writer_take(&w, 2); /* flags */
	fec_fields_write(block, i, &w);
	assert(!w.failed && w.left == 0);
}

static int parity_write(struct fec_cache *cache, const struct block *block) {
	uint8_t *at[FEC_SHARDS_MAX];
	for (size_t i = 0; i < block->data + block->parity; i++) {
		at[i] = shard_at(block, i) + RTP_SIZE;
	}
	int rc = fec_encode(cache, block->data, block->parity, block->packet_size, at,
			at + block->data);
	if (rc < 0) {
		return rc;
	}
	for (size_t i = block->data; i < block->data + block->parity; i++) {
		parity_header_write(block, i);
	}
	return 0;
}

/* The counter never starts again under one key: a successor of this process
 * has another incarnation. The last byte keeps it apart from the control
 * stream's and RTSP's IVs under the same key. */
static void shards_encrypt(struct gcm *gcm, uint32_t incarnation, const struct block *block) {
	for (size_t i = 0; i < block->data + block->parity; i++) {
		uint8_t *shard = shard_at(block, i);
		struct writer w = writer_over(
				shard - VIDEO_CRYPT_HEADER_SIZE, VIDEO_CRYPT_HEADER_SIZE);
		uint8_t *iv = w.at;
		writer_le64(&w, block->first_iv + i);
		writer_le32(&w, incarnation | (uint32_t)'V' << 24);
		writer_le32(&w, block->batch->frame_index);
		uint8_t *tag = writer_take(&w, GCM_TAG_SIZE);
		gcm_seal(gcm, iv, shard, block->packet_size + RTP_SIZE, shard, tag);
	}
}

int video_write_block(struct video_sender *sender, const struct video_frame *frame,
		const struct video_batch *batch, unsigned index, uint8_t *out) {
	const struct video_plan *plan = &batch->plan;
	assert(index < plan->block_count);
	struct block block = {
		.frame = frame,
		.batch = batch,
		.index = index,
		.data = plan->blocks[index].data,
		.parity = plan->blocks[index].parity,
		.first_packet = batch->first_packet,
		.first_iv = batch->first_iv,
		.packet_size = sender->format.packet_size,
		.shards = out + (sender->gcm ? VIDEO_CRYPT_HEADER_SIZE : 0),
	};
	for (unsigned i = 0; i < index; i++) {
		block.first_data += plan->blocks[i].data;
		block.first_packet += (uint32_t)video_plan_shards(plan, i);
		block.first_iv += video_plan_shards(plan, i);
	}
	for (size_t i = 0; i < block.data; i++) {
		data_shard_write(&block, i);
	}
	if (block.parity) {
		int rc = parity_write(&sender->cache, &block);
		if (rc < 0) {
			return rc;
		}
	}
	if (sender->gcm) {
		shards_encrypt(sender->gcm, sender->position.incarnation, &block);
	}
	return 0;
}
