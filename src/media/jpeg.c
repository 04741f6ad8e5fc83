/* SPDX-License-Identifier: MIT */
#include "media/jpeg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef PERIGEE_LIBAV
#include <libavcodec/avcodec.h>
#include <libavutil/frame.h>
#include <libavutil/log.h>

#include "media/convert.h"

/* A JPEG's colours are those of BT.601 in full range, whatever the picture was. */
static int fill(AVFrame *frame, const uint8_t *rgb, uint32_t width, uint32_t height) {
	static const struct convert_format format = {
		.matrix = CONVERT_BT601, .full_range = true, .chroma_444 = true
	};
	struct convert_planes planes;
	OWN(free) void *row = malloc((size_t)width * 2 * 4);
	uint8_t *bgrx = row;
	if (!bgrx) {
		return -ENOMEM;
	}
	for (uint32_t y = 0; y < height; y += 2) {
		const uint8_t *from = rgb + (size_t)y * width * 3;
		for (size_t i = 0; i < (size_t)width * 2; i++) {
			bgrx[4 * i] = from[3 * i + 2];
			bgrx[4 * i + 1] = from[3 * i + 1];
			bgrx[4 * i + 2] = from[3 * i];
			bgrx[4 * i + 3] = 0;
		}
		for (int p = 0; p < 3; p++) {
			planes.stride[p] = (size_t)frame->linesize[p];
			planes.plane[p] = frame->data[p] + y * planes.stride[p];
		}
		convert_rows(&format, bgrx, (size_t)width * 4, width, 0, 2, &planes);
	}
	return 0;
}

static int encode(AVCodecContext *context, AVFrame *frame, AVPacket *packet, uint8_t **out,
		size_t *out_size) {
	if (avcodec_send_frame(context, frame) < 0 || avcodec_receive_packet(context, packet) < 0) {
		return -EIO;
	}
	uint8_t *copy = malloc((size_t)packet->size);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, packet->data, (size_t)packet->size);
	*out = copy;
	*out_size = (size_t)packet->size;
	return 0;
}

static int open_codec(AVCodecContext *context, const AVCodec *codec, AVFrame *frame, uint32_t width,
		uint32_t height) {
	context->width = frame->width = (int)width;
	context->height = frame->height = (int)height;
	context->pix_fmt = AV_PIX_FMT_YUVJ444P;
	context->time_base = (AVRational){ 1, 1 };
	context->thread_count = 1;
	context->flags |= AV_CODEC_FLAG_QSCALE;
	context->global_quality = FF_QP2LAMBDA * JPEG_SCALE;
	frame->format = AV_PIX_FMT_YUVJ444P;
	frame->quality = context->global_quality;
	if (avcodec_open2(context, codec, NULL) < 0) {
		return -EIO;
	}
	return av_frame_get_buffer(frame, 0) < 0 ? -ENOMEM : 0;
}

int jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out,
		size_t *out_size) {
	if (!width || !height || width % 2 || height % 2 || width > JPEG_SIDE_MAX ||
			height > JPEG_SIDE_MAX) {
		return -EINVAL;
	}
	av_log_set_level(AV_LOG_ERROR); /* it calls the format by its newer name, every time */
	const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
	AVCodecContext *context = codec ? avcodec_alloc_context3(codec) : NULL;
	AVFrame *frame = av_frame_alloc();
	AVPacket *packet = av_packet_alloc();
	int rc = !codec ? -ENOTSUP : context && frame && packet ? 0 : -ENOMEM;
	rc = rc < 0 ? rc : open_codec(context, codec, frame, width, height);
	rc = rc < 0 ? rc : fill(frame, rgb, width, height);
	rc = rc < 0 ? rc : encode(context, frame, packet, out, out_size);
	av_packet_free(&packet);
	av_frame_free(&frame);
	avcodec_free_context(&context);
	return rc;
}

#else

int jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out,
		size_t *out_size) {
	(void)rgb;
	(void)out;
	(void)out_size;
	return width && height ? -ENOTSUP : -EINVAL;
}

#endif
