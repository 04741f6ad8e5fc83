/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <x264.h>

#include "base/text.h"
#include "ipc/ring.h"
#include "media/kinds.h"

enum {
	VBV_PICTURES = 3,    /* the buffer, in average pictures: what an IDR may take at once */
	QP_MIN = 10,         /* below nothing more is to be seen, and the next change costs more */
	REFERENCES_MAX = 16, /* H.264 A.3.1 */
};

/* A picture in the decoder's buffer, as far as x264 still keeps it. */
struct reference {
	uint64_t id;
	int64_t pts;
	bool lost; /* somebody has not got it, or one it depends on */
};

struct x264 {
	struct encoder encoder;
	x264_t *x264;               /* owned */
	struct encoder_detail said; /* x264's last complaint */
	int csp;
	int64_t pts;           /* x264 wants its own; ids may skip */
	uint32_t ceiling_kbps; /* of the level */
	uint32_t rate_x100;
	bool intra_refresh;
	bool recovers; /* the next P answers an invalidation */
	int dpb;
	/* x264's list of references, oldest first: what x264.h does not show. */
	struct reference references[REFERENCES_MAX];
	int count;
};

static struct x264 *x264_of(struct encoder *encoder) {
	return container_of(encoder, struct x264, encoder);
}

/* H.264 7.3.2.1.1 colour_description: primaries and transfer; E-3 to E-5. */
static const struct {
	int primaries, transfer, matrix;
} colours[] = {
	[MATRIX_BT601] = { 6, 6, 6 },
	[MATRIX_BT709] = { 1, 1, 1 },
	[MATRIX_BT2020] = { 9, 14, 9 },
};

static int blocks(int pixels) {
	return (pixels + 15) / 16;
}

/* Table A-1 counts bits for the basic profiles; others get a factor of 4. */
static int64_t level_bits(int32_t kbits, const struct ipc_encoding *encoding) {
	return (int64_t)kbits * (encoding->chroma == CHROMA_444 ? 4 : 1);
}

static int64_t vbv_kbits(uint32_t bitrate_kbps, uint32_t rate_x100) {
	int64_t kbits = ((int64_t)bitrate_kbps * VBV_PICTURES * 100 + rate_x100 - 1) / rate_x100;
	return kbits > 0 ? kbits : 1;
}

/* The lowest level that holds the encoding with a single reference; the
 * highest one when none does, as then no promise can be kept. */
static const x264_level_t *level_for(const struct ipc_encoding *encoding) {
	int width = blocks(encoding->width), height = blocks(encoding->height);
	int64_t per_picture = (int64_t)width * height;
	const x264_level_t *level = x264_levels;
	for (; level->level_idc; level++) {
		bool fits = level->frame_size >= per_picture && level->dpb >= per_picture &&
			    (int64_t)level->mbps * 100 >= per_picture * encoding->rate_x100 &&
			    (int64_t)width * width <= (int64_t)level->frame_size * 8 &&
			    (int64_t)height * height <= (int64_t)level->frame_size * 8 &&
			    level_bits(level->bitrate, encoding) >= encoding->bitrate_kbps &&
			    level_bits(level->cpb, encoding) >=
					    vbv_kbits(encoding->bitrate_kbps, encoding->rate_x100);
		/* Level 1b is spelt differently in every profile. */
		if (fits && level->level_idc != 9) {
			return level;
		}
	}
	return level - 1;
}

static int dpb_for(const struct ipc_encoding *encoding, const x264_level_t *level) {
	int per_picture = blocks(encoding->width) * blocks(encoding->height);
	int most = level->dpb / per_picture;
	if (encoding->references == 1 || most < 1) {
		return 1;
	}
	return most > REFERENCES_MAX ? REFERENCES_MAX : most;
}

static void handle_log(void *user, int level, const char *format, va_list args)
		__attribute__((format(printf, 3, 0)));

static void handle_log(void *user, int level, const char *format, va_list args) {
	struct encoder_detail *detail = user;
	if (level > X264_LOG_ERROR) {
		return;
	}
	int len = vsnprintf(detail->text, sizeof(detail->text), format, args);
	if (len < 0) {
		detail->text[0] = '\0';
	}
	detail->text[strcspn(detail->text, "\n")] = '\0';
}

static void set_rate_params(x264_param_t *param, uint32_t kbps, uint32_t rate_x100) {
	param->rc.i_bitrate = (int)kbps;
	param->rc.i_vbv_max_bitrate = (int)kbps;
	param->rc.i_vbv_buffer_size = (int)vbv_kbits(kbps, rate_x100);
}

static void set_stream_params(x264_param_t *param, const struct ipc_encoding *encoding) {
	param->i_csp = encoding->chroma == CHROMA_444 ? X264_CSP_I444 : X264_CSP_I420;
	param->i_width = encoding->width;
	param->i_height = encoding->height;
	param->i_bitdepth = 8;
	param->i_fps_num = encoding->rate_x100;
	param->i_fps_den = 100;
	param->i_timebase_num = 100;
	param->i_timebase_den = encoding->rate_x100;
	param->b_vfr_input = 0;
	param->b_annexb = 1;
	param->b_repeat_headers = 1;
	param->b_aud = 0;
	param->i_slice_count = encoding->slices ? encoding->slices : 1;
	param->vui.b_fullrange = encoding->full_range;
	param->vui.i_colorprim = colours[encoding->matrix].primaries;
	param->vui.i_transfer = colours[encoding->matrix].transfer;
	param->vui.i_colmatrix = colours[encoding->matrix].matrix;
}

static void set_params(x264_param_t *param, const struct ipc_encoding *encoding,
		const x264_level_t *level, int dpb) {
	set_stream_params(param, encoding);
	set_rate_params(param, encoding->bitrate_kbps, encoding->rate_x100);
	param->i_threads = 1;
	param->i_lookahead_threads = 1;
	param->b_sliced_threads = 0;
	param->i_level_idc = level->level_idc;
	param->i_frame_reference = 1;
	param->i_dpb_size = dpb;
	param->i_keyint_max = X264_KEYINT_MAX_INFINITE;
	param->i_scenecut_threshold = 0;
	param->i_bframe = 0;
	param->b_intra_refresh = encoding->intra_refresh;
	param->rc.i_rc_method = X264_RC_ABR;
	param->rc.i_qp_min = QP_MIN;
	param->rc.b_filler = 0;
	param->i_nal_hrd = X264_NAL_HRD_NONE;
}

static int kind_open(const struct ipc_encoding *encoding, struct encoder_detail *detail,
		struct encoder **out) {
	struct x264 *self = calloc(1, sizeof(*self));
	x264_param_t param;
	if (!self || x264_param_default_preset(&param, "ultrafast", "zerolatency") < 0) {
		free(self);
		return -ENOMEM;
	}
	param.pf_log = handle_log;
	param.p_log_private = &self->said;
	param.i_log_level = X264_LOG_ERROR;
	const x264_level_t *level = level_for(encoding);
	int dpb = encoding->intra_refresh ? 1 : dpb_for(encoding, level);
	set_params(&param, encoding, level, dpb);
	const char *profile = encoding->chroma == CHROMA_444 ? "high444" : "high";
	if (x264_param_apply_profile(&param, profile) == 0) {
		self->x264 = x264_encoder_open(&param);
	}
	if (!self->x264) {
		text_format(detail->text, sizeof(detail->text), "x264: %s", self->said.text);
		free(self);
		return -ENOTSUP;
	}
	self->encoder.kind = &x264_kind;
	self->csp = param.i_csp;
	self->dpb = dpb;
	self->intra_refresh = encoding->intra_refresh;
	self->rate_x100 = encoding->rate_x100;
	self->ceiling_kbps = (uint32_t)level_bits(level->bitrate, encoding);
	*out = &self->encoder;
	return 0;
}

/* Leaves the slices, and in front of an IDR its parameter sets: x264 names
 * itself in an SEI of 700 bytes, and repeats headers when a wave begins. */
static size_t keep_wanted(x264_nal_t *nals, int count, bool idr) {
	uint8_t *to = nals[0].p_payload;
	for (int i = 0; i < count; i++) {
		int type = nals[i].i_type;
		bool wanted = type == NAL_SLICE || type == NAL_SLICE_IDR ||
			      (idr && (type == NAL_SPS || type == NAL_PPS));
		if (wanted) {
			memmove(to, nals[i].p_payload, (size_t)nals[i].i_payload);
			to += nals[i].i_payload;
		}
	}
	return (size_t)(to - nals[0].p_payload);
}

static uint64_t newest_reference(const struct x264 *self) {
	for (int i = self->count; i > 0; i--) {
		if (!self->references[i - 1].lost) {
			return self->references[i - 1].id;
		}
	}
	return 0;
}

static void keep_reference(struct x264 *self, uint64_t id, bool idr) {
	if (idr) {
		self->count = 0;
	} else if (self->count == self->dpb) {
		memmove(self->references, self->references + 1,
				sizeof(self->references[0]) * (size_t)(self->count - 1));
		self->count--;
	}
	self->references[self->count++] = (struct reference){ .id = id, .pts = self->pts };
}

static int kind_encode(struct encoder *encoder, const struct encoder_picture *picture, bool key,
		struct encoder_packet *out) {
	struct x264 *self = x264_of(encoder);
	x264_picture_t in, made;
	x264_picture_init(&in);
	in.i_type = key ? X264_TYPE_IDR : X264_TYPE_AUTO;
	in.i_pts = ++self->pts;
	in.img.i_csp = self->csp;
	in.img.i_plane = 3;
	for (int plane = 0; plane < 3; plane++) {
		/* x264 only reads, but its struct has no const. */
		in.img.plane[plane] = (uint8_t *)(uintptr_t)picture->plane[plane];
		in.img.i_stride[plane] = (int)picture->stride[plane];
	}
	x264_nal_t *nals;
	int count;
	int size = x264_encoder_encode(self->x264, &nals, &count, &in, &made);
	if (size <= 0 || count <= 0) {
		return -EPROTO;
	}
	bool idr = made.i_type == X264_TYPE_IDR;
	struct encoder_packet packet = {
		.bytes = nals[0].p_payload,
		.size = keep_wanted(nals, count, idr),
		.references = idr ? 0 : newest_reference(self),
	};
	if (idr) {
		packet.flags = RING_KEY;
	} else if (made.b_keyframe) {
		packet.flags = RING_REFRESH;
	} else if (self->recovers) {
		packet.flags = RING_AFTER_INVALIDATION;
	}
	self->recovers = false;
	keep_reference(self, picture->id, idr);
	*out = packet;
	return 0;
}

static enum encoder_recovery kind_invalidate(struct encoder *encoder, uint64_t first) {
	struct x264 *self = x264_of(encoder);
	if (self->intra_refresh) {
		x264_encoder_intra_refresh(self->x264);
		return ENCODER_RECOVERS_BY_P;
	}
	/* With one reference x264 would make an IDR too, but in its own time. */
	if (self->dpb == 1) {
		return ENCODER_RECOVERS_BY_KEY;
	}
	int64_t oldest = 0;
	for (int i = self->count; i > 0 && self->references[i - 1].id >= first; i--) {
		self->references[i - 1].lost = true;
		oldest = self->references[i - 1].pts;
	}
	/* x264 forgets that picture and all after it. It ignores a request for one
	 * before the last IDR, so it is told the oldest that it still has. */
	if (oldest && x264_encoder_invalidate_reference(self->x264, oldest) < 0) {
		return ENCODER_RECOVERS_BY_KEY;
	}
	self->recovers = newest_reference(self) != 0;
	return self->recovers ? ENCODER_RECOVERS_BY_P : ENCODER_RECOVERS_BY_KEY;
}

static int kind_set_rate(struct encoder *encoder, uint32_t bitrate_kbps) {
	struct x264 *self = x264_of(encoder);
	if (bitrate_kbps == 0 || bitrate_kbps > self->ceiling_kbps) {
		return -ENOTSUP;
	}
	x264_param_t param;
	x264_encoder_parameters(self->x264, &param);
	set_rate_params(&param, bitrate_kbps, self->rate_x100);
	return x264_encoder_reconfig(self->x264, &param) < 0 ? -ENOTSUP : 0;
}

static void kind_close(struct encoder *encoder) {
	struct x264 *self = x264_of(encoder);
	x264_encoder_close(self->x264);
	free(self);
}

const struct encoder_kind x264_kind = {
	.name = "x264",
	.codecs = CODEC_BIT_H264 | CODEC_BIT_H264_444,
	.reference_invalidation = true,
	.open = kind_open,
	.encode = kind_encode,
	.invalidate = kind_invalidate,
	.set_rate = kind_set_rate,
	.close = kind_close,
};
