/* SPDX-License-Identifier: MIT */
#include <assert.h>

#include "gate/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_granted(
		const struct negotiate_offer *offer, const struct ipc_stream_params *params) {
	assert(params->width >= NEGOTIATE_SIDE_MIN && params->width <= NEGOTIATE_WIDTH_MAX);
	assert(params->height >= NEGOTIATE_SIDE_MIN && params->height <= NEGOTIATE_HEIGHT_MAX);
	assert(params->width % 2 == 0 && params->height % 2 == 0 && params->slices >= 1);
	assert(params->rate_x100 >= NEGOTIATE_RATE_MIN_X100 &&
			params->rate_x100 <= NEGOTIATE_RATE_MAX_X100);
	assert(params->channels == 2 || params->channels == 6 || params->channels == 8);
	assert(params->sound_ms == 5 || params->sound_ms == 10);
	assert(params->encryption & ENCRYPT_CONTROL);
	assert(offer->encryption != 2 ||
			(params->encryption & ENCRYPT_VIDEO && params->encryption & ENCRYPT_AUDIO));
	assert(params->codec == CODEC_H264 || offer->codecs != CODEC_BIT_H264);
}

/* Whatever ANNOUNCE says: refused with a status and a culprit, or something that can be
 * encoded and was offered. Plain control is never granted. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct negotiate_offer offers[] = {
		{ .codecs = CODEC_BIT_H264, .encryption = 0 },
		{ .codecs = CODEC_BIT_H264 | CODEC_BIT_HEVC | CODEC_BIT_AV1, .encryption = 1 },
		{ .codecs = CODEC_BIT_H264, .encryption = 2 },
	};
	struct sdp_announce announce;
	const char *culprit = NULL;
	struct span body = { (const char *)data, size };
	if (sdp_announce_parse(body, &announce, &culprit) < 0) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		struct ipc_stream_params params;
		culprit = NULL;
		int rc = negotiate_announce(&offers[i], &announce, &params, &culprit);
		if (rc == 0) {
			check_granted(&offers[i], &params);
		} else {
			assert((rc == 400 || rc == 403) && culprit);
		}
	}
	return 0;
}
