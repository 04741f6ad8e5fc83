/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "cli/probe_script.h"

static int parse(const char *text, struct script *out, size_t *out_line) {
	return script_parse((struct span){ text, strlen(text) }, out, out_line);
}

static void a_script_is_read_in_the_order_of_its_times(void **state) {
	(void)state;
	struct script script;
	size_t line = 0;
	assert_int_equal(parse("# a comment\n\n"
			       "500 abs 640 360 1280 720\r\n"
			       "100 key 0x41\n"
			       "  900 idr\n"
			       "300 shot /tmp/a picture.png\n"
			       "300 inputcheck 20",
					 &script, &line),
			0);
	assert_int_equal(script.count, 6);
	assert_int_equal(script.actions[0].at_ms, 100);
	assert_true(script.actions[0].input.key.down);
	assert_int_equal(script.actions[0].input.key.vk, 0x41);
	assert_int_equal(script.actions[1].at_ms, 100 + SCRIPT_KEY_MS);
	assert_false(script.actions[1].input.key.down);
	assert_int_equal(script.actions[2].kind, SCRIPT_SHOT);
	assert_string_equal(script.actions[2].file, "/tmp/a picture.png");
	assert_int_equal(script.actions[3].kind, SCRIPT_INPUT_CHECK);
	assert_int_equal(script.actions[3].presses, 20);
	assert_int_equal(script.actions[4].input.position.x, 640);
	assert_int_equal(script.actions[4].input.position.max_x, 1279);
	assert_int_equal(script.actions[5].kind, SCRIPT_IDR);
	script_finish(&script);
}

static void a_click_is_a_press_and_later_a_release(void **state) {
	(void)state;
	struct script script;
	size_t line;
	assert_int_equal(parse("10 click 1\n15 press 3", &script, &line), 0);
	assert_int_equal(script.count, 3);
	assert_true(script.actions[0].input.button.down);
	assert_int_equal(script.actions[1].input.button.button, 3);
	assert_int_equal(script.actions[2].at_ms, 10 + SCRIPT_CLICK_MS);
	assert_false(script.actions[2].input.button.down);
	script_finish(&script);
}

static void text_is_sent_one_code_point_at_a_time(void **state) {
	(void)state;
	struct script script;
	size_t line;
	assert_int_equal(parse("0 text a\xc3\xa9 \xe2\x82\xac", &script, &line), 0);
	assert_int_equal(script.count, 4);
	static const uint8_t lengths[] = { 1, 2, 1, 3 };
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(script.actions[i].input.text.len, lengths[i]);
	}
	script_finish(&script);
}

static void a_bad_line_is_refused_by_its_number(void **state) {
	(void)state;
	static const char *const bad[] = { "x key 1", "10", "10 jump", "10 key", "10 key 256",
		"10 key 1 2", "10 key 1.5", "10 abs 1 2 1 0", "10 abs 1 2 0 5", "10 click 9",
		"10 rel 40000 0", "-1 idr", "10 text", "10 text \xc3", "10 shot", "nan idr",
		"10 touch 1 2 3 4", "10 pad 99 1 0 0 0 0 0 0 0" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[128] = "0 idr\n# fine\n";
		strcat(text, bad[i]);
		struct script script;
		size_t line = 0;
		int rc = parse(text, &script, &line);
		if (rc != -EBADMSG) {
			fail_msg("\"%s\" was taken", bad[i]);
		}
		assert_int_equal(line, 3);
		script_finish(&script);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_script_is_read_in_the_order_of_its_times),
		UNIT(a_click_is_a_press_and_later_a_release),
		UNIT(text_is_sent_one_code_point_at_a_time),
		UNIT(a_bad_line_is_refused_by_its_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
