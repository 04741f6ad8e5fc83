/* SPDX-License-Identifier: MIT */
#ifndef PROTO_SDP_H
#define PROTO_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

/* What a client's ANNOUNCE asks for (moonlight-common-c SdpGenerator.c:125-623): lines
 * "a=NAME:VALUE", all of whose values here are decimal numbers. Any thread. */
enum {
	SDP_SIDE_MAX = 16384, /* pixels */
	SDP_FPS_MAX = 1000,
	SDP_PACKET_MIN = 200, /* bytes of an RTP packet's payload */
	SDP_PACKET_MAX = 1456,
	SDP_BITRATE_MAX = 2000000, /* kbit/s */
	SDP_SLICES_MAX = 32,
	SDP_REFERENCES_MAX = 16,
	SDP_ANNOUNCE_MAX = 4096, /* what sdp_announce_write() may need */

	SDP_CLIENT_FEC_STATUS = 1, /* client_features: sends 0x5502 */
	SDP_CLIENT_SESSION_ID = 2, /* returns our ping payload and connect data */
};

enum sdp_codec {
	SDP_H264,
	SDP_HEVC,
	SDP_AV1,
};

enum sdp_colorspace {
	SDP_BT601,
	SDP_BT709,
	SDP_BT2020,
};

struct sdp_announce {
	enum sdp_codec codec;
	uint16_t width, height; /* pixels, even */
	uint32_t fps_x100;      /* 5994 for 59.94 */
	uint32_t bitrate_kbps;  /* what the user chose, FEC and sound included */
	uint16_t packet_size;
	uint8_t slices;               /* per frame, at least 1 */
	uint8_t max_reference_frames; /* 0: any */
	enum sdp_colorspace colorspace;
	bool full_range;
	bool hdr;    /* ten bits */
	bool yuv444; /* else 4:2:0 */
	bool intra_refresh;
	uint8_t min_fec_packets; /* parity packets at least, per block */
	bool fec;
	bool video_qos, audio_qos; /* wishes DSCP marks */

	uint8_t channels;      /* 2, 6 or 8 */
	uint16_t channel_mask; /* 0 when it did not say */
	bool high_quality_audio;
	uint8_t audio_ms; /* a packet's length: 5 or 10 */

	uint32_t client_features; /* SDP_CLIENT_* */
	uint32_t encryption;      /* RTSP_ENCRYPT_* in force */
	bool audio_encrypted;     /* by the old flag or by the new one */
	bool control_encrypted;
};

/* Reads an ANNOUNCE body. Unknown attributes are ignored; size, fps, packet size and
 * codec must be there. On failure *out_culprit is the attribute at fault (a literal;
 * "" when it is the text as such): -EBADMSG malformed or said twice differently,
 * -EPROTO out of range, -ENOENT missing. All are the client's 400. */
int sdp_announce_parse(
		struct span body, struct sdp_announce *out, const char **out_culprit) NODISCARD;

/* Writes an ANNOUNCE body as a client does, for the probe. address is the host's, as
 * text. Answers the length, -ENOSPC. */
int sdp_announce_write(const struct sdp_announce *announce, const char *address, bool v6, char *buf,
		size_t size) NODISCARD;

#endif
