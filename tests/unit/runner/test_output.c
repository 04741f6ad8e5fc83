/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "runner/output.h"

struct seen {
	unsigned count, skipped;
	char line[OUTPUT_LINE_MAX + 1];
};

static void see(void *user, const char *line, unsigned skipped) {
	struct seen *seen = user;
	seen->count++;
	seen->skipped = skipped;
	text_copy(seen->line, sizeof(seen->line), line);
}

static void add(struct output *output, const char *text, uint64_t now_ns) {
	output_add(output, text, strlen(text), now_ns);
}

static void lines_are_put_together(void **state) {
	(void)state;
	struct seen seen = { 0 };
	struct output output;
	output_init(&output, 0, see, &seen);
	add(&output, "he", 0);
	assert_int_equal(seen.count, 0);
	add(&output, "llo\r\n\nwor", 0);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.line, "hello");
	add(&output, "ld", 0);
	output_end(&output, 0);
	assert_string_equal(seen.line, "world");
	assert_string_equal(output.last, "hello\nworld\n");
}

static void the_rate_is_limited_and_the_rest_counted(void **state) {
	(void)state;
	struct seen seen = { 0 };
	struct output output;
	output_init(&output, 0, see, &seen);
	for (int i = 0; i < OUTPUT_BURST + 100; i++) {
		add(&output, "x\n", 0);
	}
	assert_int_equal(seen.count, OUTPUT_BURST);
	add(&output, "y\n", NS_PER_S);
	assert_int_equal(seen.count, OUTPUT_BURST + 1);
	assert_int_equal(seen.skipped, 100);
	for (int i = 0; i < 100; i++) {
		add(&output, "x\n", NS_PER_S);
	}
	assert_int_equal(seen.count, OUTPUT_BURST + OUTPUT_PER_S);
}

static void the_newest_lines_are_kept(void **state) {
	(void)state;
	struct seen seen = { 0 };
	struct output output;
	output_init(&output, 0, see, &seen);
	char line[16], wanted[OUTPUT_LAST_MAX] = "";
	for (int i = 0; i < 1000; i++) {
		text_format(line, sizeof(line), "line %04d\n", i);
		add(&output, line, 0);
	}
	for (int i = 1000 - 39; i < 1000; i++) {
		text_format(line, sizeof(line), "line %04d\n", i);
		strcat(wanted, line);
	}
	assert_string_equal(output.last, wanted);
}

static void nonsense_becomes_harmless(void **state) {
	(void)state;
	struct seen seen = { 0 };
	struct output output;
	output_init(&output, 0, see, &seen);
	add(&output, "\033[1mgr\xc3\xbc\xc3\x9f\t\xff\n", 0);
	assert_string_equal(seen.line, "?[1mgr???? ?");
	add(&output,
			"gr\xc3\xbc\xc3\x9f"
			"e\n",
			0);
	assert_string_equal(seen.line, "gr\xc3\xbc\xc3\x9f"
				       "e");
	output_add(&output, "a\0b\n", 4, 0);
	assert_string_equal(seen.line, "a?b");
	for (int i = 0; i < 10000; i++) {
		add(&output, "\xc3\xbc", 0);
	}
	output_end(&output, 0);
	assert_true(text_is_printable(seen.line, strlen(seen.line)));
	assert_true(strlen(seen.line) < OUTPUT_LINE_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(lines_are_put_together),
		UNIT(the_rate_is_limited_and_the_rest_counted),
		UNIT(the_newest_lines_are_kept),
		UNIT(nonsense_becomes_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
