/* SPDX-License-Identifier: MIT */
#include "cli/probe_decoder.h"

#include <errno.h>
#include <string.h>

#include <libavcodec/avcodec.h>

struct probe_decoder {
	AVCodecContext *context; /* owned */
	AVPacket *packet;        /* owned */
	AVFrame *next, *frame;   /* owned: the one being filled, the newest one */
	uint8_t *bytes;          /* owned: a copy with the padding that libavcodec wants */
	size_t capacity;
};

void probe_decoder_destroy(struct probe_decoder *decoder) {
	if (!decoder) {
		return;
	}
	avcodec_free_context(&decoder->context);
	av_packet_free(&decoder->packet);
	av_frame_free(&decoder->next);
	av_frame_free(&decoder->frame);
	free(decoder->bytes);
	free(decoder);
}

int probe_decoder_create(bool hevc, struct probe_decoder **out) {
	av_log_set_level(AV_LOG_QUIET);
	const AVCodec *codec = avcodec_find_decoder(hevc ? AV_CODEC_ID_HEVC : AV_CODEC_ID_H264);
	if (!codec) {
		return -ENOTSUP;
	}
	OWN(probe_decoder_destroy) struct probe_decoder *decoder = calloc(1, sizeof(*decoder));
	if (!decoder) {
		return -ENOMEM;
	}
	decoder->context = avcodec_alloc_context3(codec);
	decoder->packet = av_packet_alloc();
	decoder->next = av_frame_alloc();
	decoder->frame = av_frame_alloc();
	if (!decoder->context || !decoder->packet || !decoder->next || !decoder->frame) {
		return -ENOMEM;
	}
	decoder->context->thread_count = 1;
	decoder->context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	decoder->context->err_recognition = AV_EF_EXPLODE;
	if (avcodec_open2(decoder->context, codec, NULL) < 0) {
		return -ENOTSUP;
	}
	*out = TAKE(decoder, NULL);
	return 0;
}

static int copy(struct probe_decoder *decoder, const uint8_t *data, size_t size) {
	size_t needed = size + AV_INPUT_BUFFER_PADDING_SIZE;
	if (needed > decoder->capacity) {
		uint8_t *more = realloc(decoder->bytes, needed * 2);
		if (!more) {
			return -ENOMEM;
		}
		decoder->bytes = more;
		decoder->capacity = needed * 2;
	}
	memcpy(decoder->bytes, data, size);
	memset(decoder->bytes + size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
	return 0;
}

int probe_decoder_take(struct probe_decoder *decoder, const uint8_t *data, size_t size) {
	int rc = copy(decoder, data, size);
	if (rc < 0) {
		return rc;
	}
	decoder->packet->data = decoder->bytes;
	decoder->packet->size = (int)size;
	if (avcodec_send_packet(decoder->context, decoder->packet) < 0) {
		return -EBADMSG;
	}
	bool got = false, flawed = false;
	while ((rc = avcodec_receive_frame(decoder->context, decoder->next)) >= 0) {
		got = true;
		flawed = flawed || decoder->next->decode_error_flags ||
			 (decoder->next->flags & AV_FRAME_FLAG_CORRUPT);
		av_frame_unref(decoder->frame);
		av_frame_move_ref(decoder->frame, decoder->next);
	}
	return flawed || (rc != AVERROR(EAGAIN) && rc != AVERROR_EOF) ? -EBADMSG : got;
}

int probe_decoder_picture(const struct probe_decoder *decoder, struct probe_picture *out) {
	const AVFrame *frame = decoder->frame;
	if (!frame->data[0]) {
		return -ENOENT;
	}
	bool halved = frame->format == AV_PIX_FMT_YUV420P || frame->format == AV_PIX_FMT_YUVJ420P;
	if (!halved && frame->format != AV_PIX_FMT_YUV444P &&
			frame->format != AV_PIX_FMT_YUVJ444P) {
		return -ENOTSUP;
	}
	struct probe_picture picture = { .width = (uint32_t)frame->width,
		.height = (uint32_t)frame->height,
		.chroma_halved = halved };
	for (int i = 0; i < 3; i++) {
		if (frame->linesize[i] <= 0) {
			return -ENOTSUP;
		}
		picture.plane[i] = frame->data[i];
		picture.stride[i] = (size_t)frame->linesize[i];
	}
	*out = picture;
	return 0;
}

struct probe_signalled probe_decoder_signalled(const struct probe_decoder *decoder) {
	static const struct {
		enum AVColorSpace space;
		int matrix;
	} matrices[] = { { AVCOL_SPC_BT709, 709 }, { AVCOL_SPC_BT470BG, 601 },
		{ AVCOL_SPC_SMPTE170M, 601 }, { AVCOL_SPC_BT2020_NCL, 2020 } };
	const AVFrame *frame = decoder->frame;
	struct probe_signalled signalled = { .matrix = -1,
		.full_range = frame->color_range == AVCOL_RANGE_UNSPECIFIED
					      ? -1
					      : frame->color_range == AVCOL_RANGE_JPEG,
		.profile = decoder->context->profile,
		.level = decoder->context->level };
	for (size_t i = 0; i < ARRAY_LEN(matrices); i++) {
		if (frame->colorspace == matrices[i].space) {
			signalled.matrix = matrices[i].matrix;
		}
	}
	return signalled;
}
