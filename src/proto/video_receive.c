/* SPDX-License-Identifier: MIT */
#include "proto/video_receive.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/control_message.h"
#include "proto/fec.h"
#include "proto/gcm.h"
#include "proto/video_shard.h"

enum {
	RTP_SIZE = 16,
	RTP_HEADER = 0x90,
};

/* The block being collected. */
struct block {
	bool open; /* at least one shard is there */
	uint8_t index, last;
	uint16_t lowest;          /* RTP sequence of shard 0 */
	uint16_t next_contiguous; /* RTP sequence up to which nothing is missing */
	uint16_t data, parity;
	uint16_t received, received_data;
	uint16_t highest; /* highest shard received */
	uint32_t timestamp_90k;
	uint8_t fec_percent;
	bool present[VIDEO_BLOCK_DATA_MAX];
};

struct video_receiver {
	struct gcm *gcm; /* owned; NULL when not encrypted */
	enum video_codec codec;
	size_t shard_size; /* packet size and RTP header */
	uint8_t *shards;   /* owned: the open block's, shard_size apart */
	uint8_t *frame;    /* owned: payloads of the frame's blocks so far */
	size_t frame_size;
	uint32_t current; /* index of the frame being collected */
	uint32_t next_stream_index;
	bool opened; /* a shard was decrypted: the two below say its nonce */
	uint32_t incarnation;
	uint64_t counter;
	bool can_invalidate;
	bool waits_for_key, waits_for_invalidation;
	uint32_t first_lost; /* first frame since the last one that was decodable */
	struct block block;
	struct video_request request;
	bool fec_status_due;
	struct control_fec_status fec_status;
	struct video_receive_stats stats;
};

static size_t payload_size(const struct video_receiver *receiver) {
	return receiver->shard_size - VIDEO_SHARD_HEADER_SIZE;
}

static uint8_t *shard_at(const struct video_receiver *receiver, size_t index) {
	return receiver->shards + index * receiver->shard_size;
}

void video_receiver_destroy(struct video_receiver *receiver) {
	if (!receiver) {
		return;
	}
	gcm_destroy(receiver->gcm);
	free(receiver->shards);
	free(receiver->frame);
	free(receiver);
}

int video_receiver_create(const struct video_receive_config *config, struct video_receiver **out) {
	if (config->packet_size < VIDEO_PACKET_SIZE_MIN ||
			config->packet_size > VIDEO_PACKET_SIZE_MAX) {
		return -EINVAL;
	}
	OWN(video_receiver_destroy)
	struct video_receiver *receiver = (struct video_receiver *)calloc(1, sizeof(*receiver));
	if (!receiver) {
		return -ENOMEM;
	}
	receiver->codec = config->codec;
	receiver->can_invalidate = config->can_invalidate;
	receiver->shard_size = (size_t)config->packet_size + RTP_SIZE;
	receiver->current = receiver->first_lost = 1;
	receiver->waits_for_key = true;
	size_t most = VIDEO_BLOCK_DATA_MAX;
	receiver->shards = (uint8_t *)malloc(most * receiver->shard_size);
	receiver->frame = (uint8_t *)malloc(VIDEO_BLOCKS_MAX * most * payload_size(receiver));
	if (!receiver->shards || !receiver->frame) {
		return -ENOMEM;
	}
	if (config->key) {
		int rc = gcm_create(config->key, GCM_OPEN, &receiver->gcm);
		if (rc < 0) {
			return rc;
		}
	}
	*out = TAKE(receiver, NULL);
	return 0;
}

const struct video_receive_stats *video_receive_stats(const struct video_receiver *receiver) {
	return &receiver->stats;
}

struct video_request video_receive_request(struct video_receiver *receiver) {
	struct video_request request = receiver->request;
	receiver->request = (struct video_request){ .kind = VIDEO_ASK_NOTHING };
	return request;
}

bool video_receive_fec_status(struct video_receiver *receiver, struct control_fec_status *out) {
	if (!receiver->fec_status_due) {
		return false;
	}
	receiver->fec_status_due = false;
	*out = receiver->fec_status;
	return true;
}

/* A nonce that comes twice, or after a later one, says nothing to a client and gives its
 * key away: nobody but us would notice. The incarnation is the more significant part. */
static void note_iv(struct video_receiver *receiver, const uint8_t *iv) {
	struct reader r = reader_over(iv, GCM_IV_SIZE);
	uint64_t counter = reader_le64(&r);
	uint32_t incarnation = reader_le32(&r) & VIDEO_INCARNATION_MAX;
	bool newer = incarnation == receiver->incarnation ? counter > receiver->counter
							  : incarnation > receiver->incarnation;
	if (receiver->opened && !newer) {
		receiver->stats.stale_ivs++;
		return;
	}
	receiver->opened = true;
	receiver->incarnation = incarnation;
	receiver->counter = counter;
}

/* Decrypts a datagram to `out` of shard_size, or copies it, padded with zeros. */
static int shard_open(struct video_receiver *receiver, const void *datagram, size_t len,
		uint8_t *out, size_t *out_len) {
	struct reader r = reader_over(datagram, len);
	const uint8_t *iv = NULL, *tag = NULL;
	if (receiver->gcm) {
		iv = reader_take(&r, GCM_IV_SIZE);
		uint32_t frame_index = reader_le32(&r);
		tag = reader_take(&r, GCM_TAG_SIZE);
		/* Spares the work for a frame that is complete already; trusted for nothing else.
		 */
		if (!r.failed && frame_index && video_before32(frame_index, receiver->current)) {
			return -EPROTO;
		}
	}
	if (r.failed || r.left < VIDEO_SHARD_HEADER_SIZE || r.left > receiver->shard_size) {
		return -EBADMSG;
	}
	memset(out + r.left, 0, receiver->shard_size - r.left);
	*out_len = r.left;
	if (!receiver->gcm) {
		memcpy(out, r.at, r.left);
		return 0;
	}
	int rc = gcm_open(receiver->gcm, iv, tag, r.at, r.left, out);
	if (rc == 0) {
		note_iv(receiver, iv);
	}
	return rc;
}

/* Frames up to and without `next` will not come any more. */
static void frames_pass(struct video_receiver *receiver, uint32_t next) {
	receiver->stats.frames_lost += next - receiver->current;
	receiver->current = next;
	receiver->frame_size = 0;
	receiver->block.index = 0;
	if (receiver->waits_for_key || !receiver->can_invalidate) {
		receiver->waits_for_key = true;
		receiver->request = (struct video_request){ .kind = VIDEO_ASK_IDR };
		return;
	}
	receiver->waits_for_invalidation = true;
	receiver->request = (struct video_request){
		.kind = VIDEO_ASK_INVALIDATE, .first = receiver->first_lost, .last = next - 1
	};
}

static void block_close(struct video_receiver *receiver) {
	struct block *block = &receiver->block;
	uint16_t missing = (uint16_t)(block->highest + 1U - block->received);
	receiver->stats.missing += missing;
	block->open = false;
	if (block->received_data == block->data) {
		return;
	}
	receiver->fec_status_due = true;
	receiver->fec_status = (struct control_fec_status){
		.frame = receiver->current,
		.highest_received = (uint16_t)(block->lowest + block->highest),
		.next_contiguous = block->next_contiguous,
		.missing = missing,
		.total_data = block->data,
		.total_parity = block->parity,
		.received_data = block->received_data,
		.received_parity = (uint16_t)(block->received - block->received_data),
		.fec_percent = block->fec_percent,
		.block = block->index,
		.block_count = (uint8_t)(block->last + 1),
	};
}

/* Gives up the open block, if there is one, for what came after it. */
static void block_give_up(struct video_receiver *receiver) {
	if (receiver->block.open) {
		block_close(receiver);
		receiver->stats.fec_failed++;
	}
}

static int block_open(struct video_receiver *receiver, const struct video_shard *s) {
	size_t parity = video_shard_parity(s);
	size_t shards = s->data + parity;
	if (s->data == 0 || s->index >= shards ||
			shards > (parity ? FEC_SHARDS_MAX : VIDEO_BLOCK_DATA_MAX)) {
		return -EBADMSG;
	}
	uint16_t lowest = (uint16_t)(s->sequence - s->index);
	receiver->block = (struct block){
		.open = true,
		.index = s->block,
		.last = s->last_block,
		.lowest = lowest,
		.next_contiguous = lowest,
		.data = s->data,
		.parity = (uint16_t)parity,
		.timestamp_90k = s->timestamp_90k,
		.fec_percent = s->fec_percent,
	};
	return 0;
}

/* The rules of who ends whom: RtpvAddPacket(). */
static int block_choose(struct video_receiver *receiver, const struct video_shard *s) {
	struct block *block = &receiver->block;
	bool same_frame = s->frame_index == receiver->current;
	/* RtpvAddPacket() compares 16 bits: a leap of more than half of that goes back. */
	if (video_before32(s->frame_index, receiver->current) ||
			video_before16((uint16_t)s->frame_index, (uint16_t)receiver->current) ||
			(same_frame && s->block < block->index)) {
		return -EPROTO;
	}
	if (block->open && same_frame && block->index == s->block) {
		return 0;
	}
	bool was_open = block->open;
	block_give_up(receiver);
	if (was_open && same_frame) {
		/* A later block of this frame: the frame cannot be completed any more. */
		frames_pass(receiver, receiver->current + 1);
		return -EPROTO;
	}
	unsigned expected = same_frame ? block->index : 0;
	if (s->block != expected) {
		frames_pass(receiver, s->frame_index + 1);
		return -EPROTO;
	}
	if (!same_frame) {
		frames_pass(receiver, s->frame_index);
	}
	return block_open(receiver, s);
}

/* What clients built for debugging insist on (RtpVideoQueue.c, LC_ASSERT_VT): shards of a
 * block agree about it. The others fall over it later, or show garbage. */
static bool shard_agrees(const struct block *block, const struct video_shard *s) {
	uint16_t lowest = (uint16_t)(s->sequence - s->index);
	return s->data == block->data && s->fec_percent == block->fec_percent &&
	       s->last_block == block->last && (s->fec_percent == 0 || lowest == block->lowest);
}

/* Puts the shard in its place; -EPROTO when there is none for it. */
static int block_add(struct video_receiver *receiver, const struct video_shard *s,
		const uint8_t *bytes) {
	struct block *block = &receiver->block;
	uint16_t index = (uint16_t)(s->sequence - block->lowest);
	if (index >= block->data + block->parity || block->present[index]) {
		return -EPROTO;
	}
	memcpy(shard_at(receiver, index), bytes, receiver->shard_size);
	block->present[index] = true;
	block->received++;
	block->received_data = (uint16_t)(block->received_data + (index < block->data));
	block->highest = index > block->highest ? index : block->highest;
	while (index < block->data + block->parity && block->present[index] &&
			(uint16_t)(block->lowest + index) == block->next_contiguous) {
		block->next_contiguous++;
		index++;
	}
	return 0;
}

static int block_recover(struct video_receiver *receiver) {
	struct block *block = &receiver->block;
	if (block->received_data == block->data) {
		return 0;
	}
	uint8_t *at[FEC_SHARDS_MAX];
	for (size_t i = 0; i < (size_t)block->data + block->parity; i++) {
		at[i] = shard_at(receiver, i) + RTP_SIZE;
	}
	int rc = fec_decode(block->data, block->parity, receiver->shard_size - RTP_SIZE, at,
			block->present);
	if (rc == 0) {
		receiver->stats.recovered += (uint64_t)(block->data - block->received_data);
	}
	return rc;
}

/* What the client checks of a shard in its place: RtpVideoQueue.c of the
 * flags of rebuilt ones, VideoDepacketizer.c of the stream packet index. */
static bool shard_fits(struct video_receiver *receiver, size_t index) {
	struct block *block = &receiver->block;
	struct reader r = reader_over(shard_at(receiver, index), receiver->shard_size);
	struct video_shard s;
	video_shard_read(&r, &s);
	unsigned edges = (index == 0 ? VIDEO_FLAG_START : 0U) |
			 (index == block->data - 1U ? VIDEO_FLAG_END : 0U);
	if (s.flags != (edges | VIDEO_FLAG_PICTURE)) {
		return false;
	}
	uint32_t ahead = (s.stream_index - receiver->next_stream_index) & 0xffffff;
	if (ahead >= 0x800000 || (index != 0 && ahead != 0)) {
		return false;
	}
	receiver->next_stream_index = (s.stream_index + 1) & 0xffffff;
	return true;
}

static bool block_append(struct video_receiver *receiver) {
	size_t payload = payload_size(receiver);
	for (size_t i = 0; i < receiver->block.data; i++) {
		if (!shard_fits(receiver, i)) {
			return false;
		}
		memcpy(receiver->frame + receiver->frame_size,
				shard_at(receiver, i) + VIDEO_SHARD_HEADER_SIZE, payload);
		receiver->frame_size += payload;
	}
	return true;
}

/* Whether the decoder gets it: processRtpPayload(). */
static void frame_judge(struct video_receiver *receiver, struct video_received *frame) {
	size_t payload = payload_size(receiver) - VIDEO_FRAME_HEADER_SIZE;
	frame->key = receiver->codec == VIDEO_AV1
				     ? frame->type == VIDEO_FRAME_IDR
				     : video_starts_idr(receiver->codec, frame->data,
						       frame->size < payload ? frame->size
									     : payload);
	if (frame->key) {
		receiver->waits_for_key = receiver->waits_for_invalidation = false;
	} else if (frame->type != VIDEO_FRAME_P) {
		receiver->waits_for_invalidation = false;
	}
	frame->decodable = !receiver->waits_for_key && !receiver->waits_for_invalidation;
	if (frame->decodable) {
		receiver->first_lost = frame->frame_index + 1;
	} else {
		receiver->stats.undecodable++;
		receiver->request =
				receiver->waits_for_key
						? (struct video_request){ .kind = VIDEO_ASK_IDR }
						: (struct video_request){
							  .kind = VIDEO_ASK_INVALIDATE,
							  .first = receiver->first_lost,
							  .last = frame->frame_index
						  };
	}
}

/* Reads the frame header and cuts the padding off. */
static int frame_finish(struct video_receiver *receiver, const struct video_shard *s,
		struct video_received *out) {
	struct reader r = reader_over(receiver->frame, receiver->frame_size);
	uint8_t form = reader_u8(&r);
	uint16_t latency = reader_le16(&r);
	uint8_t type = reader_u8(&r);
	size_t last = reader_le16(&r);
	reader_take(&r, 2);
	size_t padding = payload_size(receiver) - last;
	if (form != 0x01 || last == 0 || last > payload_size(receiver) || padding >= r.left ||
			!video_frame_begins(receiver->codec, r.at, r.left - padding) ||
			(type != VIDEO_FRAME_P && type != VIDEO_FRAME_IDR &&
					type != VIDEO_FRAME_INTRA_REFRESH &&
					type != VIDEO_FRAME_AFTER_INVALIDATION)) {
		return -EBADMSG;
	}
	struct video_received frame = {
		.data = r.at,
		.size = r.left - padding,
		.type = (enum video_frame_type)type,
		.frame_index = receiver->current,
		.timestamp_90k = receiver->block.timestamp_90k,
		.latency_100us = latency,
		.ltr = s->extra & VIDEO_EXTRA_LTR,
	};
	frame_judge(receiver, &frame);
	receiver->stats.frames++;
	*out = frame;
	return 0;
}

/* Once enough shards are there: 1 for a frame, 0 when blocks are still to come. */
static int block_finish(struct video_receiver *receiver, struct video_received *out) {
	struct block *block = &receiver->block;
	int rc = block_recover(receiver);
	block_close(receiver);
	if (rc == -ENOMEM) {
		return rc;
	}
	struct reader r = reader_over(shard_at(receiver, 0), receiver->shard_size);
	struct video_shard first;
	video_shard_read(&r, &first);
	bool fits = rc == 0 && block_append(receiver);
	if (fits && block->index < block->last) {
		block->index++;
		return 0;
	}
	if (!fits || frame_finish(receiver, &first, out) < 0) {
		receiver->stats.corrupt++;
		frames_pass(receiver, receiver->current + 1);
		return -EBADMSG;
	}
	receiver->current++;
	block->index = 0;
	receiver->frame_size = 0;
	return 1;
}

static int receive(struct video_receiver *receiver, const void *datagram, size_t len,
		struct video_received *out) {
	uint8_t bytes[VIDEO_PACKET_SIZE_MAX + RTP_SIZE];
	size_t plain_len;
	int rc = shard_open(receiver, datagram, len, bytes, &plain_len);
	if (rc < 0) {
		return rc;
	}
	if (bytes[0] != RTP_HEADER) {
		return -EBADMSG;
	}
	struct reader r = reader_over(bytes, receiver->shard_size);
	struct video_shard s;
	video_shard_read(&r, &s);
	if (plain_len != receiver->shard_size && !(s.flags & VIDEO_FLAG_END)) {
		return -EBADMSG; /* only a block's last data may be short */
	}
	if (video_before16(s.sequence, receiver->block.next_contiguous)) {
		return -EPROTO;
	}
	rc = block_choose(receiver, &s);
	if (rc < 0) {
		return rc;
	}
	if (!shard_agrees(&receiver->block, &s)) {
		return -EBADMSG;
	}
	rc = block_add(receiver, &s, bytes);
	if (rc < 0) {
		return rc;
	}
	receiver->stats.packets++;
	return receiver->block.received < receiver->block.data ? 0 : block_finish(receiver, out);
}

int video_receive(struct video_receiver *receiver, const void *datagram, size_t len,
		struct video_received *out) {
	int rc = receive(receiver, datagram, len, out);
	if (rc == -EPROTO) {
		receiver->stats.ignored++;
	} else if (rc == -EBADMSG) {
		receiver->stats.malformed++;
	}
	return rc;
}
