/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "gate/clients.h"
#include "gate/negotiate.h"
#include "gate/request.h"

static const struct negotiate_offer h264_only = { .codecs = CODEC_BIT_H264, .encryption = 1 };

static struct sdp_announce usual(void) {
	return (struct sdp_announce){ .codec = SDP_H264,
		.width = 1920,
		.height = 1080,
		.fps_x100 = 5994,
		.bitrate_kbps = 20000,
		.packet_size = 1392,
		.slices = 4,
		.colorspace = SDP_BT709,
		.fec = true,
		.min_fec_packets = 2,
		.channels = 6,
		.channel_mask = 0x3f,
		.audio_ms = 5,
		.encryption = RTSP_ENCRYPT_CONTROL };
}

static int ask(const struct negotiate_offer *offer, const struct sdp_announce *announce) {
	struct ipc_stream_params params;
	const char *culprit = NULL;
	int rc = negotiate_announce(offer, announce, &params, &culprit);
	assert_true((rc == 0) == (culprit == NULL));
	return rc;
}

static void what_is_taken_is_what_was_asked(void **state) {
	(void)state;
	struct sdp_announce announce = usual();
	announce.audio_encrypted = true;
	announce.max_reference_frames = 1;
	struct ipc_stream_params params;
	const char *culprit;
	assert_int_equal(negotiate_announce(&h264_only, &announce, &params, &culprit), 0);
	assert_int_equal(params.width, 1920);
	assert_int_equal(params.rate_x100, 5994);
	assert_int_equal(params.bitrate_kbps, 20000);
	assert_int_equal(params.matrix, MATRIX_BT709);
	assert_int_equal(params.references, 1);
	assert_int_equal(params.slices, 4);
	assert_int_equal(params.channels, 6);
	assert_int_equal(params.encryption, ENCRYPT_CONTROL | ENCRYPT_AUDIO);
	assert_int_equal(params.fec_minimum, 2);
}

static void only_offered_forms_are_taken(void **state) {
	(void)state;
	struct sdp_announce announce = usual();
	assert_int_equal(ask(&h264_only, &announce), 0);
	announce.yuv444 = true;
	assert_int_equal(ask(&h264_only, &announce), 400);
	announce = usual();
	announce.codec = SDP_HEVC;
	assert_int_equal(ask(&h264_only, &announce), 400);
	struct negotiate_offer hevc = { .codecs = CODEC_BIT_H264 | CODEC_BIT_HEVC };
	assert_int_equal(ask(&hevc, &announce), 0);
	announce.hdr = true;
	assert_int_equal(ask(&hevc, &announce), 400);
	hevc.codecs |= CODEC_BIT_HEVC10;
	announce.colorspace = SDP_BT2020;
	assert_int_equal(ask(&hevc, &announce), 0);
	announce.hdr = false;
	assert_int_equal(ask(&hevc, &announce), 400);
}

static void sizes_and_rates_have_limits(void **state) {
	(void)state;
	static const struct {
		uint16_t width, height;
		uint32_t rate;
		int answer;
	} cases[] = {
		{ 3840, 2160, 6000, 0 },
		{ 3842, 2160, 6000, 400 },
		{ 3840, 2162, 6000, 400 },
		{ 1279, 720, 6000, 400 },
		{ 1280, 62, 6000, 400 },
		{ 1280, 720, 24000, 0 },
		{ 1280, 720, 24001, 400 },
		{ 1280, 720, 400, 400 },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct sdp_announce announce = usual();
		announce.width = cases[i].width;
		announce.height = cases[i].height;
		announce.fps_x100 = cases[i].rate;
		assert_int_equal(ask(&h264_only, &announce), cases[i].answer);
	}
}

static void required_encryption_is_required(void **state) {
	(void)state;
	struct negotiate_offer offer = h264_only;
	struct sdp_announce announce = usual();
	announce.encryption = 0;
	offer.encryption = 0;
	assert_int_equal(ask(&offer, &announce), 403); /* the old control scheme: never */
	announce.encryption = RTSP_ENCRYPT_CONTROL;
	assert_int_equal(ask(&offer, &announce), 0);
	offer.encryption = 2;
	assert_int_equal(ask(&offer, &announce), 403);
	announce.encryption = RTSP_ENCRYPT_CONTROL | RTSP_ENCRYPT_VIDEO | RTSP_ENCRYPT_AUDIO;
	assert_int_equal(ask(&offer, &announce), 0);
}

static void describe_says_what_the_codec_mask_says(void **state) {
	(void)state;
	struct rtsp_describe describe;
	struct negotiate_offer offer = { .codecs = CODEC_BIT_H264, .encryption = 2 };
	negotiate_describe(&offer, &describe);
	assert_false(describe.hevc || describe.av1 || describe.rfi);
	assert_int_equal(describe.encryption_supported, 7);
	assert_int_equal(describe.encryption_requested, 7);
	offer = (struct negotiate_offer){ .codecs = CODEC_BIT_HEVC10 | CODEC_BIT_AV1,
		.reference_invalidation = true };
	negotiate_describe(&offer, &describe);
	assert_true(describe.hevc && describe.av1 && describe.rfi);
	assert_int_equal(describe.encryption_requested, 1);
	/* Clients fail without a layout for 7.1; these strings are what an identity mapping looks
	 * like to them (RtspConnection.c:786-799). */
	char body[RTSP_DESCRIBE_MAX];
	int len = rtsp_describe_write(&describe, body, sizeof(body));
	assert_true(len > 0 && len < (int)sizeof(body));
	body[len] = '\0';
	assert_non_null(strstr(body, "surround-params=642012453"));
	assert_non_null(strstr(body, "surround-params=660012345"));
	assert_non_null(strstr(body, "surround-params=85301245673"));
	assert_non_null(strstr(body, "surround-params=88001234567"));
}

static void a_route_is_path_and_door_and_method(void **state) {
	(void)state;
	static const struct route routes[] = {
		{ .path = "/a", .doors = ON(HTTP), .access = ACCESS_ANY },
		{ .path = "/a", .doors = ON(HTTPS), .access = ACCESS_PAIRED },
		{ .path = "/b", .doors = ON(HTTP) | ON(HTTPS), .method = HTTP_POST },
	};
	const struct route *found;
	size_t n = ARRAY_LEN(routes);
	struct span a = { "/a", 2 }, b = { "/b", 2 }, longer = { "/ab", 3 };
	assert_int_equal(route_find(routes, n, DOOR_HTTP, HTTP_GET, a, &found), 0);
	assert_int_equal(found->access, ACCESS_ANY);
	assert_int_equal(route_find(routes, n, DOOR_HTTPS, HTTP_GET, a, &found), 0);
	assert_int_equal(found->access, ACCESS_PAIRED);
	assert_int_equal(route_find(routes, n, DOOR_WEB, HTTP_GET, a, &found), -ENOENT);
	assert_int_equal(route_find(routes, n, DOOR_HTTP, HTTP_GET, b, &found), -ENOTSUP);
	assert_int_equal(route_find(routes, n, DOOR_HTTP, HTTP_POST, b, &found), 0);
	assert_int_equal(route_find(routes, n, DOOR_HTTP, HTTP_GET, longer, &found), -ENOENT);
}

static void a_client_is_its_whole_certificate(void **state) {
	(void)state;
	struct clients clients = { .list = NULL };
	uint8_t print[32] = { 9 };
	assert_int_equal(clients_put(&clients, print, "der", 3, "one", 1, 0), 0);
	assert_non_null(clients_find(&clients, print, "der", 3));
	assert_null(clients_find(&clients, print, "dex", 3));
	assert_null(clients_find(&clients, print, "de", 2));
	assert_int_equal(clients_put(&clients, print, "dex", 3, "two", 1, 0), 0);
	assert_int_equal(clients.count, 1);
	assert_string_equal(clients_named(&clients, print)->name, "two");
	for (unsigned i = 0; i < 100; i++) {
		uint8_t other[32] = { 1, (uint8_t)i };
		assert_int_equal(clients_put(&clients, other, "d", 1, "x", 1, 0), 0);
	}
	assert_true(clients_remove(&clients, print));
	assert_false(clients_remove(&clients, print));
	assert_int_equal(clients.count, 100);
	clients_finish(&clients);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(what_is_taken_is_what_was_asked),
		UNIT(only_offered_forms_are_taken),
		UNIT(sizes_and_rates_have_limits),
		UNIT(required_encryption_is_required),
		UNIT(describe_says_what_the_codec_mask_says),
		UNIT(a_route_is_path_and_door_and_method),
		UNIT(a_client_is_its_whole_certificate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
