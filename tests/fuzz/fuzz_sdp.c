/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "proto/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was understood can be asked again, and is understood the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct sdp_announce announce, again;
	const char *culprit = NULL;
	if (sdp_announce_parse((struct span){ (const char *)data, size }, &announce, &culprit) <
			0) {
		assert(culprit);
		return 0;
	}
	assert(announce.width >= 2 && announce.width <= SDP_SIDE_MAX && announce.slices >= 1);
	assert(announce.packet_size >= SDP_PACKET_MIN && announce.packet_size <= SDP_PACKET_MAX);
	char buf[SDP_ANNOUNCE_MAX];
	int len = sdp_announce_write(&announce, "192.0.2.7", false, buf, sizeof(buf));
	assert(len > 0);
	assert(sdp_announce_parse((struct span){ buf, (size_t)len }, &again, &culprit) == 0);
	assert(announce.bitrate_kbps == again.bitrate_kbps && announce.codec == again.codec);
	assert(announce.fps_x100 == again.fps_x100 && announce.encryption == again.encryption);
	assert(announce.audio_encrypted == again.audio_encrypted);
	return 0;
}
