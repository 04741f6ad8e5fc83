/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "cli/probe_options.h"
#include "proto/sdp.h"

static int parse(const char *const *words, struct probe_options *out) {
	char *argv[16];
	int argc = 0;
	for (; words[argc]; argc++) {
		argv[argc] = (char *)(uintptr_t)words[argc];
	}
	return probe_options_parse(argc, argv, out);
}

static void options_may_stand_before_and_after_the_mode(void **state) {
	(void)state;
	struct probe_options options;
	assert_int_equal(parse((const char *[]){ "probe", "--size", "640x360", "stream",
					       "--codec=hevc", "--drop", "2.5", "--rfi",
					       "--encryption", "plain", NULL },
					 &options),
			0);
	assert_string_equal(options.mode, "stream");
	assert_int_equal(options.width, 640);
	assert_int_equal(options.height, 360);
	assert_int_equal(options.codec, SDP_HEVC);
	assert_int_equal(options.encryption, PROBE_ENCRYPT_PLAIN);
	assert_true(options.drop == 2.5);
	assert_true(options.rfi);
	assert_int_equal(options.references, 0);
	assert_int_equal(options.fps, 60);
}

static void without_invalidation_one_reference_is_asked_for(void **state) {
	(void)state;
	struct probe_options options;
	assert_int_equal(parse((const char *[]){ "probe", "stream", NULL }, &options), 0);
	assert_int_equal(options.references, 1);
}

static void what_cannot_be_is_refused(void **state) {
	(void)state;
	static const char *const bad[][4] = {
		{ "probe", "--size", "640", NULL },
		{ "probe", "--size", "640x", NULL },
		{ "probe", "--fps", "0", NULL },
		{ "probe", "--codec", "vp9", NULL },
		{ "probe", "--drop", "101", NULL },
		{ "probe", "--drop", "nan", NULL },
		{ "probe", "--audio", "4", NULL },
		{ "probe", "--audio-ms", "7", NULL },
		{ "probe", "--seconds", NULL },
		{ "probe", "--nothing", NULL },
		{ "probe", "--json=1", NULL },
		{ "probe", "stream", "quit", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct probe_options options = { .port = 4 };
		assert_int_equal(parse(bad[i], &options), -EINVAL);
		assert_int_equal(options.port, 4);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(options_may_stand_before_and_after_the_mode),
		UNIT(without_invalidation_one_reference_is_asked_for),
		UNIT(what_cannot_be_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
