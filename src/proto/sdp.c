/* SPDX-License-Identifier: MIT */
#include "proto/sdp.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/number.h"
#include "proto/rtsp.h"

enum attribute {
	WIDTH,
	HEIGHT,
	FPS,
	FPS_X100,
	PACKET_SIZE,
	CODEC,
	INITIAL_KBPS,
	MAXIMUM_KBPS,
	CONFIGURED_KBPS,
	SLICES,
	REFERENCES,
	CSC_MODE,
	DYNAMIC_RANGE,
	CHROMA,
	INTRA_REFRESH,
	FEC,
	MIN_FEC,
	VIDEO_QOS,
	AUDIO_QOS,
	CHANNELS,
	CHANNEL_MASK,
	AUDIO_QUALITY,
	AUDIO_MS,
	ML_FEATURES,
	ENCRYPTION,
	NV_FEATURES,
	RELIABLE_UDP,
	ATTRIBUTES,
};

#define MUST INT64_MIN /* no default */
#define INT32S INT32_MIN, INT32_MAX

enum {
	NV_FEATURES_BASE = 135,
	NV_AUDIO_ENCRYPTED = 0x20,
	UDP_ENCRYPTED = 13,
	UDP_PLAIN = 1,
	QOS_VIDEO = 5,
	QOS_AUDIO = 4,
};

/* clang-format off */
/* The older bitrates are computed by clients and may come out odd: no limits there. */
static const struct {
	const char *name;
	int64_t min, max, fallback;
} attributes[ATTRIBUTES] = {
	[WIDTH]           = { "x-nv-video[0].clientViewportWd",           2, SDP_SIDE_MAX,       MUST },
	[HEIGHT]          = { "x-nv-video[0].clientViewportHt",           2, SDP_SIDE_MAX,       MUST },
	[FPS]             = { "x-nv-video[0].maxFPS",                     1, SDP_FPS_MAX,        MUST },
	[FPS_X100]        = { "x-nv-video[0].clientRefreshRateX100",      0, 100 * SDP_FPS_MAX,  0 },
	[PACKET_SIZE]     = { "x-nv-video[0].packetSize", SDP_PACKET_MIN, SDP_PACKET_MAX,        MUST },
	[CODEC]           = { "x-nv-vqos[0].bitStreamFormat",             0, SDP_AV1,            MUST },
	[INITIAL_KBPS]    = { "x-nv-video[0].initialBitrateKbps",         INT32S,                0 },
	[MAXIMUM_KBPS]    = { "x-nv-vqos[0].bw.maximumBitrateKbps",       INT32S,                0 },
	[CONFIGURED_KBPS] = { "x-ml-video.configuredBitrateKbps",         0, SDP_BITRATE_MAX,    0 },
	[SLICES]          = { "x-nv-video[0].videoEncoderSlicesPerFrame", 0, 255,                1 },
	[REFERENCES]      = { "x-nv-video[0].maxNumReferenceFrames",      0, SDP_REFERENCES_MAX, 0 },
	[CSC_MODE]        = { "x-nv-video[0].encoderCscMode",             0, 5,                  0 },
	[DYNAMIC_RANGE]   = { "x-nv-video[0].dynamicRangeMode",           0, 1,                  0 },
	[CHROMA]          = { "x-ss-video[0].chromaSamplingType",         0, 1,                  0 },
	[INTRA_REFRESH]   = { "x-ss-video[0].intraRefresh",               0, 1,                  0 },
	[FEC]             = { "x-nv-vqos[0].fec.enable",                  0, 1,                  1 },
	[MIN_FEC]         = { "x-nv-vqos[0].fec.minRequiredFecPackets",   0, 255,                0 },
	[VIDEO_QOS]       = { "x-nv-vqos[0].qosTrafficType",              0, 255,                0 },
	[AUDIO_QOS]       = { "x-nv-aqos.qosTrafficType",                 0, 255,                0 },
	[CHANNELS]        = { "x-nv-audio.surround.numChannels",          2, RTSP_CHANNELS_MAX,  2 },
	[CHANNEL_MASK]    = { "x-nv-audio.surround.channelMask",          0, UINT16_MAX,         0 },
	[AUDIO_QUALITY]   = { "x-nv-audio.surround.AudioQuality",         0, 1,                  0 },
	[AUDIO_MS]        = { "x-nv-aqos.packetDuration",                 5, 10,                 5 },
	[ML_FEATURES]     = { "x-ml-general.featureFlags",                0, UINT32_MAX,         0 },
	[ENCRYPTION]      = { "x-ss-general.encryptionEnabled",           0, 7,                  0 },
	[NV_FEATURES]     = { "x-nv-general.featureFlags",                0, UINT32_MAX, NV_FEATURES_BASE },
	[RELIABLE_UDP]    = { "x-nv-general.useReliableUdp",              0, 255,          UDP_PLAIN },
};
/* clang-format on */

static int refuse(int rc, const char *name, const char **out_culprit) {
	*out_culprit = name;
	return rc;
}

static int attribute_find(struct span name) {
	for (int i = 0; i < ATTRIBUTES; i++) {
		if (span_is(name, attributes[i].name)) {
			return i;
		}
	}
	return -ENOENT;
}

/* Takes the next line without its end off text: CR LF, or LF alone. */
static struct span line_take(struct span *text) {
	const char *end = memchr(text->at, '\n', text->len);
	struct span line = { text->at, end ? (size_t)(end - text->at) : text->len };
	size_t taken = line.len + (end ? 1 : 0);
	text->at += taken;
	text->len -= taken;
	if (line.len > 0 && line.at[line.len - 1] == '\r') {
		line.len--;
	}
	return line;
}

static bool line_is_plain(struct span line) {
	for (size_t i = 0; i < line.len; i++) {
		if ((uint8_t)line.at[i] < 0x20 && line.at[i] != '\t') {
			return false;
		}
	}
	return true;
}

/* One "a=" line into the table of values; other lines say nothing to us. */
static int line_parse(struct span line, int64_t values[ATTRIBUTES], const char **out_culprit) {
	if (line.len < 2 || memcmp(line.at, "a=", 2) != 0) {
		return 0;
	}
	struct span left = { line.at + 2, line.len - 2 };
	const char *colon = memchr(left.at, ':', left.len);
	if (!colon) {
		return 0;
	}
	size_t name_len = (size_t)(colon - left.at);
	int at = attribute_find((struct span){ left.at, name_len });
	if (at < 0) {
		return 0;
	}
	struct span text = span_trim((struct span){ colon + 1, left.len - name_len - 1 });
	int64_t value;
	int rc = number_parse(text.at, text.len, attributes[at].min, attributes[at].max, &value);
	if (rc < 0) {
		rc = rc == -ERANGE ? -EPROTO : -EBADMSG;
		return refuse(rc, attributes[at].name, out_culprit);
	}
	if (values[at] != MUST && values[at] != value) {
		return refuse(-EBADMSG, attributes[at].name, out_culprit);
	}
	values[at] = value;
	return 0;
}

/* MUST also marks what has not been read yet. */
static int values_read(struct span body, int64_t values[ATTRIBUTES], const char **out_culprit) {
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		values[i] = MUST;
	}
	while (body.len > 0) {
		struct span line = line_take(&body);
		if (!line_is_plain(line)) {
			return refuse(-EBADMSG, "", out_culprit);
		}
		int rc = line_parse(line, values, out_culprit);
		if (rc < 0) {
			return rc;
		}
	}
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (values[i] == MUST) {
			values[i] = attributes[i].fallback;
		}
		if (values[i] == MUST) {
			return refuse(-ENOENT, attributes[i].name, out_culprit);
		}
	}
	return 0;
}

/* What the user chose; older clients tell only what they made of it. */
static int64_t bitrate_of(const int64_t *v) {
	if (v[CONFIGURED_KBPS] > 0) {
		return v[CONFIGURED_KBPS];
	}
	return v[MAXIMUM_KBPS] > 0 ? v[MAXIMUM_KBPS] : v[INITIAL_KBPS];
}

/* The exact rate (59.94) only when it is nearly the whole one: a client that counts
 * its display's rate instead of the stream's is not followed. */
static int64_t fps_x100_of(const int64_t *v) {
	int64_t whole = 100 * v[FPS], exact = v[FPS_X100];
	int64_t apart = exact > whole ? exact - whole : whole - exact;
	return exact > 0 && 100 * apart <= whole ? exact : whole;
}

static int together_check(const int64_t *v, const char **out_culprit) {
	const struct {
		enum attribute attribute;
		bool ok;
	} checks[] = {
		{ WIDTH, v[WIDTH] % 2 == 0 },
		{ HEIGHT, v[HEIGHT] % 2 == 0 },
		{ CHANNELS, v[CHANNELS] == 2 || v[CHANNELS] == 6 || v[CHANNELS] == 8 },
		{ AUDIO_MS, v[AUDIO_MS] == 5 || v[AUDIO_MS] == 10 },
		{ CONFIGURED_KBPS, bitrate_of(v) > 0 && bitrate_of(v) <= SDP_BITRATE_MAX },
	};
	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		if (!checks[i].ok) {
			return refuse(-EPROTO, attributes[checks[i].attribute].name, out_culprit);
		}
	}
	return 0;
}

static uint8_t slices_of(int64_t asked) {
	if (asked == 0) {
		return 1;
	}
	return (uint8_t)(asked < SDP_SLICES_MAX ? asked : SDP_SLICES_MAX);
}

static struct sdp_announce announce_of(const int64_t *v) {
	return (struct sdp_announce){
		.codec = (enum sdp_codec)v[CODEC],
		.width = (uint16_t)v[WIDTH],
		.height = (uint16_t)v[HEIGHT],
		.fps_x100 = (uint32_t)fps_x100_of(v),
		.bitrate_kbps = (uint32_t)bitrate_of(v),
		.packet_size = (uint16_t)v[PACKET_SIZE],
		.slices = slices_of(v[SLICES]),
		.max_reference_frames = (uint8_t)v[REFERENCES],
		.colorspace = (enum sdp_colorspace)(v[CSC_MODE] >> 1),
		.full_range = v[CSC_MODE] & 1,
		.hdr = v[DYNAMIC_RANGE],
		.yuv444 = v[CHROMA],
		.intra_refresh = v[INTRA_REFRESH],
		.min_fec_packets = (uint8_t)v[MIN_FEC],
		.fec = v[FEC],
		.video_qos = v[VIDEO_QOS] != 0,
		.audio_qos = v[AUDIO_QOS] != 0,
		.channels = (uint8_t)v[CHANNELS],
		.channel_mask = (uint16_t)v[CHANNEL_MASK],
		.high_quality_audio = v[AUDIO_QUALITY],
		.audio_ms = (uint8_t)v[AUDIO_MS],
		.client_features = (uint32_t)v[ML_FEATURES],
		.encryption = (uint32_t)v[ENCRYPTION],
		.audio_encrypted = v[NV_FEATURES] & NV_AUDIO_ENCRYPTED ||
				   v[ENCRYPTION] & RTSP_ENCRYPT_AUDIO,
		.control_encrypted = v[RELIABLE_UDP] == UDP_ENCRYPTED,
	};
}

int sdp_announce_parse(struct span body, struct sdp_announce *out, const char **out_culprit) {
	int64_t values[ATTRIBUTES];
	int rc = values_read(body, values, out_culprit);
	rc = rc < 0 ? rc : together_check(values, out_culprit);
	if (rc < 0) {
		return rc;
	}
	*out = announce_of(values);
	return 0;
}

static void values_of(const struct sdp_announce *a, int64_t values[ATTRIBUTES]) {
	const int64_t of[ATTRIBUTES] = {
		[WIDTH] = a->width,
		[HEIGHT] = a->height,
		[FPS] = (a->fps_x100 + 50) / 100,
		[FPS_X100] = a->fps_x100,
		[PACKET_SIZE] = a->packet_size,
		[CODEC] = a->codec,
		[INITIAL_KBPS] = a->bitrate_kbps * INT64_C(4) / 5,
		[MAXIMUM_KBPS] = a->bitrate_kbps * INT64_C(4) / 5,
		[CONFIGURED_KBPS] = a->bitrate_kbps,
		[SLICES] = a->slices,
		[REFERENCES] = a->max_reference_frames,
		[CSC_MODE] = (a->colorspace << 1) | a->full_range,
		[DYNAMIC_RANGE] = a->hdr,
		[CHROMA] = a->yuv444,
		[INTRA_REFRESH] = a->intra_refresh,
		[FEC] = a->fec,
		[MIN_FEC] = a->min_fec_packets,
		[VIDEO_QOS] = a->video_qos ? QOS_VIDEO : 0,
		[AUDIO_QOS] = a->audio_qos ? QOS_AUDIO : 0,
		[CHANNELS] = a->channels,
		[CHANNEL_MASK] = a->channel_mask,
		[AUDIO_QUALITY] = a->high_quality_audio,
		[AUDIO_MS] = a->audio_ms,
		[ML_FEATURES] = a->client_features,
		[ENCRYPTION] = a->encryption,
		[NV_FEATURES] = NV_FEATURES_BASE | (a->audio_encrypted ? NV_AUDIO_ENCRYPTED : 0),
		[RELIABLE_UDP] = a->control_encrypted ? UDP_ENCRYPTED : UDP_PLAIN,
	};
	memcpy(values, of, sizeof(of));
}

int sdp_announce_write(const struct sdp_announce *announce, const char *address, bool v6, char *buf,
		size_t size) {
	int64_t values[ATTRIBUTES];
	values_of(announce, values);
	struct writer w = writer_over(buf, size);
	text_putf(&w, "v=0\r\no=android 0 14 IN %s %s\r\ns=NVIDIA Streaming Client\r\n",
			v6 ? "IPv6" : "IPv4", address);
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		text_putf(&w, "a=%s:%lld \r\n", attributes[i].name, (long long)values[i]);
	}
	text_put(&w, "t=0 0\r\nm=video 47998  \r\n");
	return w.failed ? -ENOSPC : (int)(size - w.left);
}
