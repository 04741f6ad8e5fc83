/* SPDX-License-Identifier: MIT */
#include "proto/video_shard.h"

#include <string.h>

bool video_before16(uint16_t a, uint16_t b) {
	return (int16_t)(uint16_t)(a - b) < 0;
}

bool video_before32(uint32_t a, uint32_t b) {
	return (int32_t)(a - b) < 0;
}

void video_shard_read(struct reader *r, struct video_shard *s) {
	reader_take(r, 2);
	s->sequence = reader_be16(r);
	s->timestamp_90k = reader_be32(r);
	reader_take(r, 8);
	s->stream_index = reader_le32(r) >> 8;
	s->frame_index = reader_le32(r);
	s->flags = reader_u8(r);
	s->extra = reader_u8(r);
	reader_take(r, 1);
	uint8_t blocks = reader_u8(r);
	s->block = blocks >> 4 & 3;
	s->last_block = blocks >> 6;
	uint32_t fec = reader_le32(r);
	s->index = (uint16_t)(fec >> 12 & 0x3ff);
	s->data = (uint16_t)(fec >> 22);
	s->fec_percent = (uint8_t)(fec >> 4);
}

size_t video_shard_parity(const struct video_shard *s) {
	return ((size_t)s->data * s->fec_percent + 99) / 100;
}

enum nal {
	NAL_OTHER,
	NAL_SKIPPED,   /* access unit delimiter, SEI: stripped in front */
	NAL_FIRST_SET, /* the parameter set that an IDR begins with */
	NAL_IDR_SLICE,
};

static enum nal nal_kind(enum video_codec codec, uint8_t header) {
	if (codec == VIDEO_H264) {
		unsigned type = header & 0x1f;
		return type == 9 || type == 6 ? NAL_SKIPPED
		       : type == 7            ? NAL_FIRST_SET
		       : type == 5            ? NAL_IDR_SLICE
					      : NAL_OTHER;
	}
	unsigned type = header >> 1 & 0x3f;
	return type == 35 || type == 39 || type == 40 ? NAL_SKIPPED
	       : type == 32                           ? NAL_FIRST_SET
	       : type >= 16 && type <= 21             ? NAL_IDR_SLICE
						      : NAL_OTHER;
}

bool video_frame_begins(enum video_codec codec, const uint8_t *b, size_t len) {
	static const uint8_t start[4] = { 0, 0, 0, 1 };
	return codec == VIDEO_AV1 || (len >= 4 && memcmp(b, start, 4) == 0) ||
	       (len >= 3 && memcmp(b, start + 1, 3) == 0);
}

bool video_starts_idr(enum video_codec codec, const uint8_t *b, size_t len) {
	bool sets = false;
	for (size_t i = 0; i + 3 < len; i++) {
		if (b[i] != 0 || b[i + 1] != 0 || b[i + 2] != 1) {
			continue;
		}
		enum nal kind = nal_kind(codec, b[i + 3]);
		if (kind == NAL_FIRST_SET) {
			sets = true;
		} else if (!sets && kind != NAL_SKIPPED) {
			return false;
		} else if (kind == NAL_IDR_SLICE) {
			return true;
		}
		i += 3;
	}
	return false;
}
