/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "proto/launch.h"

#define KEY "rikey=000102030405060708090A0B0C0D0E0f"

static struct span span_of(const char *text) {
	return (struct span){ text, strlen(text) };
}

static void qt_s_launch_is_read(void **state) {
	(void)state;
	static const char text[] =
			"uniqueid=0123456789ABCDEF&uuid=5d3c1a6e2f6b4c0c9d6be1c2a7a0c9d1&appid="
			"881448767"
			"&mode=1920x1080x60&additionalStates=1&sops=1&" KEY "&rikeyid=-1390426713"
			"&hdrMode=1&clientHdrCapVersion=0&clientHdrCapMetaDataId="
			"NV_STATIC_METADATA_TYPE_1&localAudioPlayMode=0&surroundAudioInfo=4128774"
			"&remoteControllersBitmap=3&gcmap=3&gcpersist=0&corever=1";
	struct launch_query launch;
	const char *culprit = NULL;
	assert_int_equal(launch_query_parse(span_of(text), &launch, &culprit), 0);
	assert_null(culprit);
	assert_string_equal(launch.uniqueid, "0123456789ABCDEF");
	assert_int_equal(launch.app_id, 881448767);
	assert_int_equal(launch.width, 1920);
	assert_int_equal(launch.height, 1080);
	assert_int_equal(launch.fps, 60);
	assert_true(launch.hdr && launch.optimise && !launch.local_audio);
	assert_int_equal(launch.channels, 6);
	assert_int_equal(launch.channel_mask, 0x3f);
	assert_int_equal(launch.gamepads, 3);
	assert_int_equal(launch.corever, 1);
	assert_int_equal(launch.rikeyid, -1390426713);
	for (uint8_t i = 0; i < 16; i++) {
		assert_int_equal(launch.rikey.bytes[i], i);
	}
}

static void defaults_stand_for_what_is_missing(void **state) {
	(void)state;
	struct launch_query launch;
	const char *culprit = NULL;
	assert_int_equal(launch_resume_parse(span_of(KEY "&rikeyid=4294967295"), &launch, &culprit),
			0);
	assert_int_equal(launch.rikeyid, -1);
	assert_int_equal(launch.app_id, 0);
	assert_int_equal(launch.width, 0);
	assert_int_equal(launch.channels, 2);
	assert_int_equal(launch.channel_mask, 3);
	assert_int_equal(launch.corever, 0);
	assert_string_equal(launch.surround_params, "");
}

static void a_wrong_parameter_is_named(void **state) {
	(void)state;
	static const struct {
		const char *text, *culprit;
	} rows[] = {
		{ "rikeyid=1&" KEY, "appid" },
		{ "appid=0&rikeyid=1&" KEY, "appid" },
		{ "appid=-4&rikeyid=1&" KEY, "appid" },
		{ "appid=2147483648&rikeyid=1&" KEY, "appid" },
		{ "appid=../x&rikeyid=1&" KEY, "appid" },
		{ "appid=1&appid=2&rikeyid=1&" KEY, "appid" },
		{ "appid=1&" KEY, "rikeyid" },
		{ "appid=1&rikeyid=4294967296&" KEY, "rikeyid" },
		{ "appid=1&rikeyid=1", "rikey" },
		{ "appid=1&rikeyid=1&rikey=00", "rikey" },
		{ "appid=1&rikeyid=1&rikey=000102030405060708090A0B0C0D0E0g", "rikey" },
		{ "appid=1&rikeyid=1&rikey=000102030405060708090A0B0C0D0E0F00", "rikey" },
		{ "appid=1&rikeyid=1&mode=1920x1080&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=1920x1080x60x1&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=0x1080x60&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=16385x1080x60&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=1920x1080x1001&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=1920x1080x-1&" KEY, "mode" },
		{ "appid=1&rikeyid=1&mode=&" KEY, "mode" },
		{ "appid=1&rikeyid=1&surroundAudioInfo=3&" KEY, "surroundAudioInfo" },
		{ "appid=1&rikeyid=1&surroundAudioInfo=65538&" KEY, "surroundAudioInfo" },
		{ "appid=1&rikeyid=1&surroundParams=64201245&" KEY, "surroundParams" },
		{ "appid=1&rikeyid=1&surroundParams=64201245a&" KEY, "surroundParams" },
		{ "appid=1&rikeyid=1&gcmap=x&" KEY, "gcmap" },
		{ "appid=1&rikeyid=1&uniqueid=%3Cb%3E&" KEY, "uniqueid" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct launch_query launch;
		const char *culprit = NULL;
		int rc = launch_query_parse(span_of(rows[i].text), &launch, &culprit);
		if (rc != -EBADMSG) {
			fail_msg("taken: %s", rows[i].text);
		}
		assert_string_equal(culprit, rows[i].culprit);
	}
}

static void what_the_probe_writes_reads_back(void **state) {
	(void)state;
	struct launch_query launch, again;
	const char *culprit = NULL;
	static const char text[] = "uniqueid=ab&appid=5&mode=1280x720x120&" KEY
				   "&rikeyid=-5&surroundAudioInfo=104792072&gcmap=1&corever=1"
				   "&surroundParams=85301245673";
	assert_int_equal(launch_query_parse(span_of(text), &launch, &culprit), 0);
	char buf[1024];
	int len = launch_query_write(&launch, buf, sizeof(buf));
	assert_true(len > 0);
	assert_int_equal(
			launch_query_parse((struct span){ buf, (size_t)len }, &again, &culprit), 0);
	char twice[1024];
	assert_int_equal(launch_query_write(&again, twice, sizeof(twice)), len);
	assert_memory_equal(buf, twice, (size_t)len);
	assert_string_equal(again.surround_params, "85301245673");
}

static void assets_are_asked_for_by_number(void **state) {
	(void)state;
	const char *culprit = NULL;
	int32_t id = 0;
	assert_int_equal(launch_appid_parse(
					 span_of("appid=9&AssetType=2&AssetIdx=0"), &id, &culprit),
			0);
	assert_int_equal(id, 9);
	assert_int_equal(launch_appid_parse(span_of("appid=..%2f9"), &id, &culprit), -EBADMSG);
	assert_string_equal(culprit, "appid");
}

static void each_pairing_phase_is_told_apart(void **state) {
	(void)state;
	static struct pair_query pair;
	const char *culprit = NULL;
	assert_int_equal(
			pair_query_parse(
					span_of("uniqueid=1&devicename=roth&updateState=1"
						"&phrase=getservercert&salt="
						"000102030405060708090a0b0c0d0e0f&clientcert=2d2d"),
					&pair, &culprit),
			0);
	assert_int_equal(pair.step, PAIR_GET_SERVER_CERT);
	assert_int_equal(pair.salt[15], 15);
	assert_int_equal(pair.blob_len, 2);
	assert_string_equal(pair.device_name, "roth");
	assert_int_equal(
			pair_query_parse(
					span_of("clientchallenge=00112233445566778899aabbccddeeff"),
					&pair, &culprit),
			0);
	assert_int_equal(pair.step, PAIR_CLIENT_CHALLENGE);
	assert_int_equal(pair_query_parse(span_of("phrase=pairchallenge"), &pair, &culprit), 0);
	assert_int_equal(pair.step, PAIR_CHALLENGE);
}

static void pairing_queries_of_no_phase_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"",
		"phrase=other",
		"phrase=pairchallenge&clientchallenge=00112233445566778899aabbccddeeff",
		"clientchallenge=0011",
		"clientchallenge=00112233445566778899aabbccddeef",
		"clientchallenge=00112233445566778899aabbccddeefg",
		"phrase=getservercert&clientcert=2d",
		"phrase=getservercert&salt=00&clientcert=2d",
		"phrase=getservercert&salt=000102030405060708090a0b0c0d0e0f&clientcert=",
		"serverchallengeresp=00",
		"clientpairingsecret=00",
		"phrase=pairchallenge&devicename=%ff",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		static struct pair_query pair;
		const char *culprit = NULL;
		assert_int_equal(pair_query_parse(span_of(bad[i]), &pair, &culprit), -EBADMSG);
		assert_non_null(culprit);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(qt_s_launch_is_read),
		UNIT(defaults_stand_for_what_is_missing),
		UNIT(a_wrong_parameter_is_named),
		UNIT(what_the_probe_writes_reads_back),
		UNIT(assets_are_asked_for_by_number),
		UNIT(each_pairing_phase_is_told_apart),
		UNIT(pairing_queries_of_no_phase_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
