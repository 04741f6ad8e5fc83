/* SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/error.h>
#include <libavutil/hwcontext.h>
#include <libavutil/log.h>
#include <libavutil/opt.h>

#include "base/text.h"
#include "ipc/ring.h"
#include "media/kinds.h"

/* Hardware encoders through libavcodec: pictures are uploaded as NV12. Written
 * from libavcodec's documentation and never run on hardware: there was none.
 * Only the way to "this machine has none" is tried; the probe decides by
 * encoding a picture, so a mistake here shows as an encoder that is not offered.
 * No reference invalidation: libavcodec does not pass it through. */

enum {
	VBV_PICTURES = 3,
	OPTIONS_MAX = 10,
};

struct row {
	const struct encoder_kind *kind;
	const char *codecs[CODECS];
	enum AVHWDeviceType device;       /* NONE: takes pictures from memory by itself */
	enum AVPixelFormat surface;       /* what it encodes, when there is a device */
	bool rate_changes;                /* bit_rate may be changed while open */
	const char *options[OPTIONS_MAX]; /* name, value, ...; unknown ones are skipped */
};

static const struct row rows[] = {
	{ &nvenc_kind, { "h264_nvenc", "hevc_nvenc", "av1_nvenc" }, AV_HWDEVICE_TYPE_NONE,
			AV_PIX_FMT_NONE, true,
			{ "preset", "p3", "tune", "ull", "delay", "0", "forced-idr", "1", "rc",
					"cbr" } },
	{ &vaapi_kind, { "h264_vaapi", "hevc_vaapi", "av1_vaapi" }, AV_HWDEVICE_TYPE_VAAPI,
			AV_PIX_FMT_VAAPI, false,
			{ "async_depth", "1", "rc_mode", "CBR", "sei", "0" } },
	{ &qsv_kind, { "h264_qsv", "hevc_qsv", "av1_qsv" }, AV_HWDEVICE_TYPE_NONE, AV_PIX_FMT_NONE,
			false,
			{ "preset", "veryfast", "async_depth", "1", "forced_idr", "1", "look_ahead",
					"0" } },
};

struct libav {
	struct encoder encoder;
	const struct row *row;
	AVCodecContext *context; /* owned */
	AVBufferRef *device;     /* owned; NULL without */
	AVFrame *frame;          /* owned: NV12 in memory */
	AVPacket *packet;        /* owned */
	uint64_t last_id;
	int64_t pts;
	uint32_t rate_x100;
	struct encoder_detail said; /* libavcodec's first complaint */
};

static struct libav *libav_of(struct encoder *encoder) {
	return container_of(encoder, struct libav, encoder);
}

static void handle_log(void *object, int level, const char *format, va_list args)
		__attribute__((format(printf, 3, 0)));

/* libav's log callback has no user data, but a codec context has `opaque`,
 * which nobody but us sets. The first complaint is the cause of the others. */
static void handle_log(void *object, int level, const char *format, va_list args) {
	if (level > AV_LOG_ERROR || !object ||
			*(const AVClass *const *)object != avcodec_get_class()) {
		return;
	}
	struct encoder_detail *said = ((const AVCodecContext *)object)->opaque;
	if (!said || said->text[0] != '\0') {
		return;
	}
	if (vsnprintf(said->text, sizeof(said->text), format, args) < 0) {
		said->text[0] = '\0';
	}
	said->text[strcspn(said->text, "\n")] = '\0';
}

static void libav_destroy(struct libav *self) {
	avcodec_free_context(&self->context);
	av_buffer_unref(&self->device);
	av_frame_free(&self->frame);
	av_packet_free(&self->packet);
	free(self);
}

static const struct row *row_of(const struct encoder_kind *kind) {
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind == kind) {
			return &rows[i];
		}
	}
	return NULL;
}

static void set_rate_fields(AVCodecContext *context, uint32_t kbps, uint32_t rate_x100) {
	context->bit_rate = (int64_t)kbps * 1000;
	context->rc_max_rate = context->bit_rate;
	context->rc_buffer_size = (int)(context->bit_rate * VBV_PICTURES * 100 / rate_x100);
}

static void set_colours(AVCodecContext *context, const struct ipc_encoding *encoding) {
	static const struct {
		enum AVColorPrimaries primaries;
		enum AVColorTransferCharacteristic transfer;
		enum AVColorSpace space;
	} colours[] = {
		[MATRIX_BT601] = { AVCOL_PRI_SMPTE170M, AVCOL_TRC_SMPTE170M, AVCOL_SPC_SMPTE170M },
		[MATRIX_BT709] = { AVCOL_PRI_BT709, AVCOL_TRC_BT709, AVCOL_SPC_BT709 },
		[MATRIX_BT2020] = { AVCOL_PRI_BT2020, AVCOL_TRC_BT2020_10, AVCOL_SPC_BT2020_NCL },
	};
	context->color_primaries = colours[encoding->matrix].primaries;
	context->color_trc = colours[encoding->matrix].transfer;
	context->colorspace = colours[encoding->matrix].space;
	context->color_range = encoding->full_range ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

static void set_fields(struct libav *self, const struct ipc_encoding *encoding) {
	AVCodecContext *context = self->context;
	context->opaque = &self->said;
	context->width = encoding->width;
	context->height = encoding->height;
	context->framerate = (AVRational){ (int)encoding->rate_x100, 100 };
	context->time_base = (AVRational){ 100, (int)encoding->rate_x100 };
	context->pix_fmt = AV_PIX_FMT_NV12;
	context->gop_size = INT_MAX;
	context->max_b_frames = 0;
	context->slices = encoding->slices;
	context->flags |= AV_CODEC_FLAG_LOW_DELAY;
	if (encoding->references == 1) {
		context->refs = 1;
	}
	set_colours(context, encoding);
	set_rate_fields(context, encoding->bitrate_kbps, encoding->rate_x100);
	for (size_t i = 0; i + 1 < OPTIONS_MAX && self->row->options[i]; i += 2) {
		av_opt_set(context->priv_data, self->row->options[i], self->row->options[i + 1], 0);
	}
}

/* A device and a pool of its surfaces, for encoders that take nothing else. */
static int open_device(struct libav *self) {
	int rc = av_hwdevice_ctx_create(&self->device, self->row->device, NULL, NULL, 0);
	if (rc < 0) {
		text_format(self->said.text, sizeof(self->said.text), "no %s device: %s",
				av_hwdevice_get_type_name(self->row->device),
				av_make_error_string((char[AV_ERROR_MAX_STRING_SIZE]){ 0 },
						AV_ERROR_MAX_STRING_SIZE, rc));
		return -ENOENT;
	}
	AVBufferRef *frames = av_hwframe_ctx_alloc(self->device);
	if (!frames) {
		return -ENOMEM;
	}
	AVHWFramesContext *pool = (AVHWFramesContext *)(void *)frames->data;
	pool->format = self->row->surface;
	pool->sw_format = AV_PIX_FMT_NV12;
	pool->width = self->context->width;
	pool->height = self->context->height;
	pool->initial_pool_size = 4;
	rc = av_hwframe_ctx_init(frames);
	self->context->pix_fmt = self->row->surface;
	self->context->hw_frames_ctx = frames;
	return rc < 0 ? -ENOTSUP : 0;
}

static int open_codec(struct libav *self, const struct ipc_encoding *encoding) {
	const AVCodec *codec = avcodec_find_encoder_by_name(self->row->codecs[encoding->codec]);
	if (!codec) {
		text_copy(self->said.text, sizeof(self->said.text), "not in this libavcodec");
		return -ENOENT;
	}
	self->context = avcodec_alloc_context3(codec);
	self->frame = av_frame_alloc();
	self->packet = av_packet_alloc();
	if (!self->context || !self->frame || !self->packet) {
		return -ENOMEM;
	}
	set_fields(self, encoding);
	self->frame->format = AV_PIX_FMT_NV12;
	self->frame->width = encoding->width;
	self->frame->height = encoding->height;
	if (av_frame_get_buffer(self->frame, 0) < 0) {
		return -ENOMEM;
	}
	if (self->row->device != AV_HWDEVICE_TYPE_NONE) {
		int rc = open_device(self);
		if (rc < 0) {
			return rc;
		}
	}
	return avcodec_open2(self->context, codec, NULL) < 0 ? -ENOENT : 0;
}

static int kind_open(const struct encoder_kind *kind, const struct ipc_encoding *encoding,
		struct encoder_detail *detail, struct encoder **out) {
	struct libav *self = calloc(1, sizeof(*self));
	if (!self) {
		return -ENOMEM;
	}
	av_log_set_callback(handle_log);
	self->encoder.kind = kind;
	self->row = row_of(kind);
	self->rate_x100 = encoding->rate_x100;
	int rc = open_codec(self, encoding);
	if (rc < 0) {
		text_format(detail->text, sizeof(detail->text), "%s: %s", kind->name,
				self->said.text[0] ? self->said.text : "does not open");
		libav_destroy(self);
		return rc;
	}
	*out = &self->encoder;
	return 0;
}

static int nvenc_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	return kind_open(&nvenc_kind, encoding, detail, out);
}

static int vaapi_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	return kind_open(&vaapi_kind, encoding, detail, out);
}

static int qsv_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	return kind_open(&qsv_kind, encoding, detail, out);
}

static void copy_picture(AVFrame *frame, const struct encoder_picture *picture) {
	for (int y = 0; y < frame->height; y++) {
		memcpy(frame->data[0] + y * frame->linesize[0],
				picture->plane[0] + (size_t)y * picture->stride[0],
				(size_t)frame->width);
	}
	for (int y = 0; y < frame->height / 2; y++) {
		const uint8_t *u = picture->plane[1] + (size_t)y * picture->stride[1];
		const uint8_t *v = picture->plane[2] + (size_t)y * picture->stride[2];
		uint8_t *to = frame->data[1] + y * frame->linesize[1];
		for (int x = 0; x < frame->width / 2; x++) {
			to[2 * x] = u[x];
			to[2 * x + 1] = v[x];
		}
	}
}

static int send_picture(struct libav *self, bool key) {
	self->frame->pts = self->pts++;
	self->frame->pict_type = key ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
	if (!self->device) {
		return avcodec_send_frame(self->context, self->frame);
	}
	AVFrame *surface = av_frame_alloc();
	if (!surface) {
		return -ENOMEM;
	}
	int rc = av_hwframe_get_buffer(self->context->hw_frames_ctx, surface, 0);
	if (rc >= 0) {
		rc = av_hwframe_transfer_data(surface, self->frame, 0);
	}
	if (rc >= 0) {
		rc = av_frame_copy_props(surface, self->frame);
	}
	if (rc >= 0) {
		rc = avcodec_send_frame(self->context, surface);
	}
	av_frame_free(&surface);
	return rc;
}

static int kind_encode(struct encoder *encoder, const struct encoder_picture *picture, bool key,
		struct encoder_packet *out) {
	struct libav *self = libav_of(encoder);
	if (av_frame_make_writable(self->frame) < 0) {
		return -ENOMEM;
	}
	copy_picture(self->frame, picture);
	av_packet_unref(self->packet);
	/* EAGAIN would mean a picture of delay: as good as broken here. */
	if (send_picture(self, key) < 0 ||
			avcodec_receive_packet(self->context, self->packet) < 0) {
		return -EPROTO;
	}
	bool is_key = self->packet->flags & AV_PKT_FLAG_KEY;
	*out = (struct encoder_packet){
		.bytes = self->packet->data,
		.size = (size_t)self->packet->size,
		.flags = is_key ? RING_KEY : 0,
		.references = is_key ? 0 : self->last_id,
	};
	self->last_id = picture->id;
	return 0;
}

static int kind_set_rate(struct encoder *encoder, uint32_t bitrate_kbps) {
	struct libav *self = libav_of(encoder);
	if (!self->row->rate_changes || bitrate_kbps == 0) {
		return -ENOTSUP;
	}
	set_rate_fields(self->context, bitrate_kbps, self->rate_x100);
	return 0;
}

static void kind_close(struct encoder *encoder) {
	libav_destroy(libav_of(encoder));
}

#define KIND(kind_name, opens) \
	{ \
		.name = kind_name, .codecs = CODEC_BIT_H264 | CODEC_BIT_HEVC | CODEC_BIT_AV1, \
		.device = true, .open = opens, .encode = kind_encode, .set_rate = kind_set_rate, \
		.close = kind_close, \
	}

const struct encoder_kind nvenc_kind = KIND("nvenc", nvenc_open);
const struct encoder_kind vaapi_kind = KIND("vaapi", vaapi_open);
const struct encoder_kind qsv_kind = KIND("qsv", qsv_open);
