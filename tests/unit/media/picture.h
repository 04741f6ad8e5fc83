/* SPDX-License-Identifier: MIT */
#ifndef TESTS_MEDIA_PICTURE_H
#define TESTS_MEDIA_PICTURE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "media/encoder.h"

/* Pictures to encode, and a decoder to look at what came of it. */

struct planes {
	unsigned width, height, divide; /* divide: of the chroma planes, 1 or 2 */
	uint8_t *plane[3];
};

static inline struct planes planes_create(unsigned width, unsigned height, unsigned divide) {
	struct planes planes = { .width = width, .height = height, .divide = divide };
	for (unsigned i = 0; i < 3; i++) {
		planes.plane[i] = calloc(width, height);
	}
	return planes;
}

static inline void planes_destroy(struct planes *planes) {
	for (unsigned i = 0; i < 3; i++) {
		free(planes->plane[i]);
	}
}

static inline unsigned plane_divide(const struct planes *planes, unsigned plane) {
	return plane == 0 ? 1 : planes->divide;
}

/* Random blocks of 8 by 8 that move: much to code, yet predictable. */
static inline void planes_draw(struct planes *planes, unsigned number) {
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned by = plane_divide(planes, plane);
		unsigned width = planes->width / by;
		for (unsigned y = 0; y < planes->height / by; y++) {
			for (unsigned x = 0; x < width; x++) {
				uint32_t block = ((x + 3 * number) / 8) * 7919u +
						 ((y + number) / 8) * 104729u + plane;
				block *= 2654435761u;
				planes->plane[plane][y * width + x] =
						(uint8_t)(40 + (block >> 24) * 160 / 255);
			}
		}
	}
}

/* Every sample anew in every picture: as hard as it gets. */
static inline void planes_noise(struct planes *planes, uint32_t seed) {
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned by = plane_divide(planes, plane);
		size_t count = (size_t)(planes->width / by) * (planes->height / by);
		for (size_t i = 0; i < count; i++) {
			seed = seed * 1664525u + 1013904223u;
			planes->plane[plane][i] = (uint8_t)(seed >> 24);
		}
	}
}

static inline struct encoder_picture planes_picture(const struct planes *planes, uint64_t id) {
	struct encoder_picture picture = { .id = id };
	for (unsigned i = 0; i < 3; i++) {
		picture.plane[i] = planes->plane[i];
		picture.stride[i] = planes->width / plane_divide(planes, i);
	}
	return picture;
}

struct decoder {
	AVCodecContext *context;
	AVPacket *packet;
	AVFrame *frame;
};

static inline struct decoder decoder_create(void) {
	const AVCodec *codec = avcodec_find_decoder(AV_CODEC_ID_H264);
	struct decoder decoder = {
		.context = avcodec_alloc_context3(codec),
		.packet = av_packet_alloc(),
		.frame = av_frame_alloc(),
	};
	av_log_set_level(AV_LOG_QUIET);
	decoder.context->thread_count = 1;
	decoder.context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	avcodec_open2(decoder.context, codec, NULL);
	return decoder;
}

static inline void decoder_destroy(struct decoder *decoder) {
	avcodec_free_context(&decoder->context);
	av_packet_free(&decoder->packet);
	av_frame_free(&decoder->frame);
}

/* True when the bytes yield a whole picture without an error, at once. */
static inline int decoder_decode(struct decoder *decoder, const void *bytes, size_t size) {
	if (av_new_packet(decoder->packet, (int)size) < 0) {
		return 0;
	}
	memcpy(decoder->packet->data, bytes, size);
	int sent = avcodec_send_packet(decoder->context, decoder->packet);
	av_packet_unref(decoder->packet);
	return sent == 0 && avcodec_receive_frame(decoder->context, decoder->frame) == 0 &&
	       decoder->frame->decode_error_flags == 0;
}

/* Of one plane of the decoded picture against the source, dB. */
static inline double decoder_psnr(
		const struct decoder *decoder, const struct planes *planes, unsigned plane) {
	unsigned by = plane_divide(planes, plane);
	unsigned width = planes->width / by, height = planes->height / by;
	double sum = 0;
	for (unsigned y = 0; y < height; y++) {
		const uint8_t *row = decoder->frame->data[plane] +
				     (ptrdiff_t)y * decoder->frame->linesize[plane];
		for (unsigned x = 0; x < width; x++) {
			double d = (double)row[x] - planes->plane[plane][y * width + x];
			sum += d * d;
		}
	}
	double mean = sum / width / height;
	return mean == 0 ? 99 : 10 * log10(255 * 255 / mean);
}

#endif
