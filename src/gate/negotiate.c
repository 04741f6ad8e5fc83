/* SPDX-License-Identifier: MIT */
#include "gate/negotiate.h"

_Static_assert((int)ENCRYPT_CONTROL == (int)RTSP_ENCRYPT_CONTROL &&
				(int)ENCRYPT_VIDEO == (int)RTSP_ENCRYPT_VIDEO &&
				(int)ENCRYPT_AUDIO == (int)RTSP_ENCRYPT_AUDIO,
		"one set of bits");
_Static_assert((int)CODEC_H264 == (int)SDP_H264 && (int)CODEC_HEVC == (int)SDP_HEVC &&
				(int)CODEC_AV1 == (int)SDP_AV1,
		"one set of codecs");
_Static_assert((int)MATRIX_BT601 == (int)SDP_BT601 && (int)MATRIX_BT709 == (int)SDP_BT709 &&
				(int)MATRIX_BT2020 == (int)SDP_BT2020,
		"one set of matrices");

enum {
	ENCRYPT_ALL = ENCRYPT_CONTROL | ENCRYPT_VIDEO | ENCRYPT_AUDIO,
};

void negotiate_describe(const struct negotiate_offer *offer, struct rtsp_describe *out) {
	*out = (struct rtsp_describe){
		.encryption_supported = ENCRYPT_ALL,
		.encryption_requested = offer->encryption == 2 ? ENCRYPT_ALL : ENCRYPT_CONTROL,
		.rfi = offer->reference_invalidation,
		.hevc = (offer->codecs & (CODEC_BIT_HEVC | CODEC_BIT_HEVC10)) != 0,
		.av1 = (offer->codecs & CODEC_BIT_AV1) != 0,
	};
	out->surround = rtsp_surround_layouts(&out->n_surround);
}

/* The bit that must be offered for this form, 0 when there is none such. */
static uint32_t codec_bit(const struct sdp_announce *announce) {
	static const struct {
		enum sdp_codec codec;
		bool hdr, yuv444;
		uint32_t bit;
	} forms[] = {
		{ SDP_H264, false, false, CODEC_BIT_H264 },
		{ SDP_H264, false, true, CODEC_BIT_H264_444 },
		{ SDP_HEVC, false, false, CODEC_BIT_HEVC },
		{ SDP_HEVC, true, false, CODEC_BIT_HEVC10 },
		{ SDP_AV1, false, false, CODEC_BIT_AV1 },
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (forms[i].codec == announce->codec && forms[i].hdr == announce->hdr &&
				forms[i].yuv444 == announce->yuv444) {
			return forms[i].bit;
		}
	}
	return 0;
}

static const char *fault_in(
		const struct negotiate_offer *offer, const struct sdp_announce *announce) {
	const struct {
		bool wrong;
		const char *culprit;
	} checks[] = {
		{ !(codec_bit(announce) & offer->codecs),
				"x-nv-vqos[0].bitStreamFormat, dynamicRangeMode, "
				"chromaSamplingType" },
		{ announce->width < NEGOTIATE_SIDE_MIN || announce->width > NEGOTIATE_WIDTH_MAX ||
						announce->width % 2,
				"x-nv-video[0].clientViewportWd" },
		{ announce->height < NEGOTIATE_SIDE_MIN ||
						announce->height > NEGOTIATE_HEIGHT_MAX ||
						announce->height % 2,
				"x-nv-video[0].clientViewportHt" },
		{ announce->fps_x100 < NEGOTIATE_RATE_MIN_X100 ||
						announce->fps_x100 > NEGOTIATE_RATE_MAX_X100,
				"x-nv-video[0].maxFPS" },
		{ announce->channels != 2 && announce->channels != 6 && announce->channels != 8,
				"x-nv-audio.surround.numChannels" },
		{ announce->audio_ms != 5 && announce->audio_ms != 10, "x-nv-aqos.packetDuration" },
		{ announce->colorspace == SDP_BT2020 && !announce->hdr,
				"x-nv-video[0].encoderCscMode" },
	};
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (checks[i].wrong) {
			return checks[i].culprit;
		}
	}
	return NULL;
}

int negotiate_announce(const struct negotiate_offer *offer, const struct sdp_announce *announce,
		struct ipc_stream_params *out, const char **out_culprit) {
	const char *culprit = fault_in(offer, announce);
	if (culprit) {
		*out_culprit = culprit;
		return 400;
	}
	uint8_t encryption = (uint8_t)(announce->encryption & ENCRYPT_ALL);
	if (announce->audio_encrypted) {
		encryption |= ENCRYPT_AUDIO;
	}
	/* The old scheme of the control stream repeats its nonces: never. */
	uint8_t needed = offer->encryption == 2 ? ENCRYPT_ALL : ENCRYPT_CONTROL;
	if ((encryption & needed) != needed) {
		*out_culprit = "x-ss-general.encryptionEnabled";
		return 403;
	}
	*out = (struct ipc_stream_params){
		.width = announce->width,
		.height = announce->height,
		.rate_x100 = announce->fps_x100,
		.bitrate_kbps = announce->bitrate_kbps,
		.packet_size = announce->packet_size,
		.slices = announce->slices,
		.references = announce->max_reference_frames != 0,
		.codec = (uint8_t)announce->codec,
		.chroma = announce->yuv444 ? CHROMA_444 : CHROMA_420,
		.matrix = (uint8_t)announce->colorspace,
		.full_range = announce->full_range,
		.hdr = announce->hdr,
		.intra_refresh = announce->intra_refresh,
		.encryption = encryption,
		.channels = announce->channels,
		.sound_high = announce->high_quality_audio,
		.sound_ms = announce->audio_ms,
		.fec_minimum = announce->fec ? announce->min_fec_packets : 0,
		.client_features = (uint8_t)announce->client_features,
		.video_qos = announce->video_qos,
		.audio_qos = announce->audio_qos,
		.channel_mask = announce->channel_mask,
	};
	return 0;
}
