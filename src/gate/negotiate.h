/* SPDX-License-Identifier: MIT */
#ifndef GATE_NEGOTIATE_H
#define GATE_NEGOTIATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"
#include "proto/rtsp.h"
#include "proto/sdp.h"

/* What the host offers in DESCRIBE and takes in ANNOUNCE. Pure. */

enum {
	NEGOTIATE_WIDTH_MAX = 3840,
	NEGOTIATE_HEIGHT_MAX = 2160,
	NEGOTIATE_SIDE_MIN = 64,
	NEGOTIATE_RATE_MAX_X100 = 24000,
	NEGOTIATE_RATE_MIN_X100 = 500,
};

struct negotiate_offer {
	uint32_t codecs; /* CODEC_BIT_ */
	bool reference_invalidation;
	uint8_t encryption; /* 0 off, 1 offered, 2 required */
};

void negotiate_describe(const struct negotiate_offer *offer, struct rtsp_describe *out);

/* 0, or the RTSP status to refuse with and what is at fault (a literal): 400 for a form that is
 * not offered, 403 for encryption that policy demands. */
int negotiate_announce(const struct negotiate_offer *offer, const struct sdp_announce *announce,
		struct ipc_stream_params *out, const char **out_culprit) NODISCARD;

#endif
