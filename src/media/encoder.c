/* SPDX-License-Identifier: MIT */
#include "media/encoder.h"

#include <string.h>

#include "base/text.h"
#include "ipc/pool.h"
#include "media/kinds.h"

static const struct encoder_kind *const kinds[] = {
#ifdef PERIGEE_LIBAV
	&nvenc_kind,
	&vaapi_kind,
	&qsv_kind,
#endif
#ifdef PERIGEE_X264
	&x264_kind,
#endif
	NULL,
};

const struct encoder_kind *encoder_kind(const char *name, size_t len) {
	for (const struct encoder_kind *const *kind = kinds; *kind; kind++) {
		if (strlen((*kind)->name) == len && memcmp((*kind)->name, name, len) == 0) {
			return *kind;
		}
	}
	return NULL;
}

bool encoder_order_next(const char **at, const char **out_name, size_t *out_len) {
	const char *name = *at + strspn(*at, ", ");
	size_t len = strcspn(name, ", ");
	if (len == 0) {
		return false;
	}
	*at = name + len;
	*out_name = name;
	*out_len = len;
	return true;
}

uint32_t encoder_codec_bit(const struct ipc_encoding *encoding) {
	static const uint32_t bits[CODECS] = {
		[CODEC_H264] = CODEC_BIT_H264,
		[CODEC_HEVC] = CODEC_BIT_HEVC,
		[CODEC_AV1] = CODEC_BIT_AV1,
	};
	bool eight = encoding->depth == 0 || encoding->depth == 8;
	if (encoding->codec >= CODECS) {
		return 0;
	}
	if (encoding->chroma == CHROMA_444) {
		return encoding->codec == CODEC_H264 && eight ? CODEC_BIT_H264_444 : 0;
	}
	if (encoding->codec == CODEC_HEVC && encoding->depth == 10) {
		return CODEC_BIT_HEVC10;
	}
	return eight ? bits[encoding->codec] : 0;
}

static bool makes_sense(const struct ipc_encoding *encoding) {
	return encoding->width > 0 && encoding->height > 0 && encoding->width % 2 == 0 &&
	       encoding->height % 2 == 0 && encoding->width <= POOL_WIDTH_MAX &&
	       encoding->height <= POOL_HEIGHT_MAX && encoding->rate_x100 >= 100 &&
	       encoding->rate_x100 <= ENCODER_RATE_X100_MAX && encoding->bitrate_kbps > 0 &&
	       encoding->bitrate_kbps <= 2000000 && encoding->slices <= ENCODER_SLICES_MAX &&
	       encoding->chroma <= CHROMA_444 && encoding->matrix <= MATRIX_BT2020;
}

int encoder_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	*detail = (struct encoder_detail){ 0 };
	uint32_t bit = encoder_codec_bit(encoding);
	if (!makes_sense(encoding) || bit == 0) {
		text_copy(detail->text, sizeof(detail->text), "no such encoding");
		return -EINVAL;
	}
	const char *at = encoding->order;
	const char *name;
	size_t len;
	while (encoder_order_next(&at, &name, &len)) {
		const struct encoder_kind *kind = encoder_kind(name, len);
		if (!kind || !(kind->codecs & bit)) {
			text_format(detail->text, sizeof(detail->text), "%.*s: not in this build%s",
					(int)len, name, kind ? " for this codec" : "");
			continue;
		}
		if (kind->open(encoding, detail, out) == 0) {
			return 0;
		}
	}
	if (detail->text[0] == '\0') {
		text_copy(detail->text, sizeof(detail->text), "no encoder is named");
	}
	return -ENOENT;
}

int encoder_encode(struct encoder *encoder, const struct encoder_picture *picture, bool key,
		struct encoder_packet *out) {
	return encoder->kind->encode(encoder, picture, key, out);
}

enum encoder_recovery encoder_invalidate(struct encoder *encoder, uint64_t first) {
	return encoder->kind->invalidate ? encoder->kind->invalidate(encoder, first)
					 : ENCODER_RECOVERS_BY_KEY;
}

int encoder_set_rate(struct encoder *encoder, uint32_t bitrate_kbps) {
	return encoder->kind->set_rate(encoder, bitrate_kbps);
}

void encoder_close(struct encoder *encoder) {
	if (encoder) {
		encoder->kind->close(encoder);
	}
}
