/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "proto/rtsp.h"
#include "proto/sdp.h"

#define LEAST \
	"v=0\r\no=android 0 14 IN IPv4 192.0.2.7\r\ns=NVIDIA Streaming Client\r\n" \
	"a=x-nv-video[0].clientViewportWd:1280 \r\na=x-nv-video[0].clientViewportHt:720 \r\n" \
	"a=x-nv-video[0].maxFPS:60 \r\na=x-nv-video[0].packetSize:1024 \r\n"
#define H264 "a=x-nv-vqos[0].bitStreamFormat:0 \r\n"
#define RATE "a=x-ml-video.configuredBitrateKbps:10000 \r\n"
#define TAIL "t=0 0\r\nm=video 47998  \r\n"

static int parse(const char *text, struct sdp_announce *out, const char **out_culprit) {
	size_t len = strlen(text);
	char *exact = malloc(len + !len);
	memcpy(exact, text, len);
	int rc = sdp_announce_parse((struct span){ exact, len }, out, out_culprit);
	free(exact);
	return rc;
}

/* By what they say: the padding of a struct may differ. */
static void expect_same(const struct sdp_announce *a, const struct sdp_announce *b) {
	char one[SDP_ANNOUNCE_MAX], other[SDP_ANNOUNCE_MAX];
	int len = sdp_announce_write(a, "192.0.2.7", false, one, sizeof(one));
	assert_true(len > 0);
	assert_int_equal(sdp_announce_write(b, "192.0.2.7", false, other, sizeof(other)), len);
	assert_memory_equal(one, other, (size_t)len);
}

static void a_full_announce_is_read(void **state) {
	(void)state;
	static const char text[] = LEAST
			"a=x-ml-general.featureFlags:3 \r\na=x-ss-general.encryptionEnabled:5 \r\n"
			"a=x-ss-video[0].chromaSamplingType:1 \r\na=x-ss-video[0].intraRefresh:1 "
			"\r\n"
			"a=x-nv-video[0].clientRefreshRateX100:5994 \r\n"
			"a=x-nv-video[0].rateControlMode:4 "
			"\r\na=x-nv-video[0].timeoutLengthMs:7000 \r\n"
			"a=x-nv-video[0].initialBitrateKbps:16000 \r\n"
			"a=x-nv-vqos[0].bw.maximumBitrateKbps:16000 \r\n"
			"a=x-ml-video.configuredBitrateKbps:20000 \r\n"
			"a=x-nv-vqos[0].fec.enable:1 "
			"\r\na=x-nv-vqos[0].fec.minRequiredFecPackets:2 \r\n"
			"a=x-nv-vqos[0].qosTrafficType:5 \r\na=x-nv-aqos.qosTrafficType:4 \r\n"
			"a=x-nv-general.featureFlags:167 \r\na=x-nv-general.useReliableUdp:13 \r\n"
			"a=x-nv-video[0].videoEncoderSlicesPerFrame:4 \r\n"
			"a=x-nv-vqos[0].bitStreamFormat:1 \r\na=x-nv-clientSupportHevc:1 \r\n"
			"a=x-nv-video[0].dynamicRangeMode:1 \r\n"
			"a=x-nv-video[0].maxNumReferenceFrames:1 \r\n"
			"a=x-nv-video[0].encoderCscMode:5 \r\n"
			"a=x-nv-audio.surround.numChannels:8 \r\n"
			"a=x-nv-audio.surround.channelMask:1599 \r\n"
			"a=x-nv-audio.surround.AudioQuality:1 \r\na=x-nv-aqos.packetDuration:10 "
			"\r\n" TAIL;
	struct sdp_announce got;
	const char *culprit = NULL;
	assert_int_equal(parse(text, &got, &culprit), 0);
	const struct sdp_announce want = {
		.codec = SDP_HEVC,
		.width = 1280,
		.height = 720,
		.fps_x100 = 5994,
		.bitrate_kbps = 20000,
		.packet_size = 1024,
		.slices = 4,
		.max_reference_frames = 1,
		.colorspace = SDP_BT2020,
		.full_range = true,
		.hdr = true,
		.yuv444 = true,
		.intra_refresh = true,
		.min_fec_packets = 2,
		.fec = true,
		.video_qos = true,
		.audio_qos = true,
		.channels = 8,
		.channel_mask = 0x63f,
		.high_quality_audio = true,
		.audio_ms = 10,
		.client_features = SDP_CLIENT_FEC_STATUS | SDP_CLIENT_SESSION_ID,
		.encryption = RTSP_ENCRYPT_CONTROL | RTSP_ENCRYPT_AUDIO,
		.audio_encrypted = true,
		.control_encrypted = true,
	};
	expect_same(&got, &want);
}

static void what_is_missing_has_a_default(void **state) {
	(void)state;
	struct sdp_announce got;
	const char *culprit = NULL;
	assert_int_equal(parse(LEAST H264 RATE, &got, &culprit), 0);
	assert_null(culprit);
	assert_int_equal(got.fps_x100, 6000);
	assert_int_equal(got.slices, 1);
	assert_int_equal(got.channels, 2);
	assert_int_equal(got.audio_ms, 5);
	assert_true(got.fec);
	assert_false(got.audio_encrypted || got.control_encrypted || got.hdr);
	assert_int_equal(got.encryption, 0);
}

static void bitrate_comes_from_the_best_source(void **state) {
	(void)state;
	struct sdp_announce got;
	const char *culprit = NULL;
	static const char maximum[] = LEAST H264 "a=x-nv-vqos[0].bw.maximumBitrateKbps:8000\n"
						 "a=x-nv-video[0].initialBitrateKbps:7000\n";
	assert_int_equal(parse(maximum, &got, &culprit), 0);
	assert_int_equal(got.bitrate_kbps, 8000);
	static const char initial[] = LEAST H264 "a=x-nv-vqos[0].bw.maximumBitrateKbps:-100\n"
						 "a=x-nv-video[0].initialBitrateKbps:7000";
	assert_int_equal(parse(initial, &got, &culprit), 0);
	assert_int_equal(got.bitrate_kbps, 7000);
	assert_int_equal(parse(LEAST H264, &got, &culprit), -EPROTO);
	assert_string_equal(culprit, "x-ml-video.configuredBitrateKbps");
}

static void a_foreign_refresh_rate_is_not_followed(void **state) {
	(void)state;
	struct sdp_announce got;
	const char *culprit = NULL;
	assert_int_equal(parse(LEAST H264 RATE "a=x-nv-video[0].clientRefreshRateX100:14400\r\n",
					 &got, &culprit),
			0);
	assert_int_equal(got.fps_x100, 6000);
}

static void a_wrong_attribute_is_named(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int rc;
		const char *culprit;
	} rows[] = {
		{ "", -ENOENT, "x-nv-video[0].clientViewportWd" },
		{ LEAST RATE, -ENOENT, "x-nv-vqos[0].bitStreamFormat" },
		{ LEAST RATE "a=x-nv-vqos[0].bitStreamFormat:3\n", -EPROTO,
				"x-nv-vqos[0].bitStreamFormat" },
		{ LEAST RATE "a=x-nv-vqos[0].bitStreamFormat:\n", -EBADMSG,
				"x-nv-vqos[0].bitStreamFormat" },
		{ LEAST RATE "a=x-nv-vqos[0].bitStreamFormat:0x1\n", -EBADMSG,
				"x-nv-vqos[0].bitStreamFormat" },
		{ LEAST RATE H264 "a=x-nv-vqos[0].bitStreamFormat:1\n", -EBADMSG,
				"x-nv-vqos[0].bitStreamFormat" },
		{ LEAST RATE H264 "a=x-nv-audio.surround.numChannels:7\n", -EPROTO,
				"x-nv-audio.surround.numChannels" },
		{ LEAST RATE H264 "a=x-nv-aqos.packetDuration:7\n", -EPROTO,
				"x-nv-aqos.packetDuration" },
		{ LEAST RATE H264 "a=x-ss-general.encryptionEnabled:8\n", -EPROTO,
				"x-ss-general.encryptionEnabled" },
		{ LEAST RATE H264 "a=x-nv-video[0].encoderCscMode:6\n", -EPROTO,
				"x-nv-video[0].encoderCscMode" },
		{ LEAST RATE H264 "a=x-nv-video[0].maxFPS:60 \n"
				  "a=x-nv-video[0].maxFPS:99999999999999999999\n",
				-EPROTO, "x-nv-video[0].maxFPS" },
		{ "a=x-nv-video[0].clientViewportWd:1281\na=x-nv-video[0].clientViewportHt:720\n"
		  "a=x-nv-video[0].maxFPS:60\na=x-nv-video[0].packetSize:1024\n" H264 RATE,
				-EPROTO, "x-nv-video[0].clientViewportWd" },
		{ LEAST RATE H264 "a=\x01\n", -EBADMSG, "" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sdp_announce got;
		const char *culprit = NULL;
		assert_int_equal(parse(rows[i].text, &got, &culprit), rows[i].rc);
		assert_string_equal(culprit, rows[i].culprit);
	}
}

static void what_nobody_knows_is_ignored(void **state) {
	(void)state;
	struct sdp_announce got;
	const char *culprit = NULL;
	static const char text[] = LEAST H264 RATE "a=x-future[0].thing:not a number\r\n"
						   "a=flag\r\nb=\r\n\r\n:\r\na=:\r\n" TAIL;
	assert_int_equal(parse(text, &got, &culprit), 0);
}

static void what_the_probe_writes_reads_back(void **state) {
	(void)state;
	const struct sdp_announce want = {
		.codec = SDP_AV1,
		.width = 3840,
		.height = 2160,
		.fps_x100 = 11988,
		.bitrate_kbps = 80000,
		.packet_size = 1392,
		.slices = 1,
		.colorspace = SDP_BT709,
		.min_fec_packets = 2,
		.fec = true,
		.channels = 6,
		.channel_mask = 0x3f,
		.audio_ms = 5,
		.client_features = 3,
		.encryption = 3,
		.control_encrypted = true,
	};
	char buf[SDP_ANNOUNCE_MAX];
	struct sdp_announce got;
	const char *culprit = NULL;
	int len = sdp_announce_write(&want, "2001:db8::1", true, buf, sizeof(buf));
	assert_true(len > 0);
	assert_int_equal(sdp_announce_parse((struct span){ buf, (size_t)len }, &got, &culprit), 0);
	expect_same(&got, &want);
	assert_int_equal(sdp_announce_write(&want, "::1", true, buf, 99), -ENOSPC);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_full_announce_is_read),
		UNIT(what_is_missing_has_a_default),
		UNIT(bitrate_comes_from_the_best_source),
		UNIT(a_foreign_refresh_rate_is_not_followed),
		UNIT(a_wrong_attribute_is_named),
		UNIT(what_nobody_knows_is_ignored),
		UNIT(what_the_probe_writes_reads_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
