/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"

static void a_cut_never_splits_a_character(void **state) {
	(void)state;
	char out[4];
	assert_false(text_copy(out, sizeof(out), "ab\xc3\xa9"));
	assert_string_equal(out, "ab");
	assert_true(text_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
}

static void a_cut_of_formatted_text_does_not_either(void **state) {
	(void)state;
	/* A two, a three and a four byte character, cut off at every place. */
	static const struct {
		const char *text;
		size_t size;
		const char *cut;
	} rows[] = {
		{ "ab\xc3\xa9", 4, "ab" },
		{ "a\xe2\x82\xac", 3, "a" },
		{ "a\xe2\x82\xac", 4, "a" },
		{ "a\xe2\x82\xacx", 5, "a\xe2\x82\xac" },
		{ "\xf0\x9f\x8e\xae", 2, "" },
		{ "\xf0\x9f\x8e\xae", 3, "" },
		{ "\xf0\x9f\x8e\xae", 4, "" },
		{ "\xf0\x9f\x8e\xaex", 5, "\xf0\x9f\x8e\xae" },
		{ "abcd", 4, "abc" },
		{ "abcd", 1, "" },
	};
	char out[8];
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_false(text_format(out, rows[i].size, "%s", rows[i].text));
		assert_string_equal(out, rows[i].cut);
	}
	assert_true(text_format(out, 5, "a%s", "\xe2\x82\xac"));
	assert_string_equal(out, "a\xe2\x82\xac");
}

static void only_well_formed_text_is_printable(void **state) {
	(void)state;
	assert_true(text_is_printable("Gr\xc3\xbc\xc3\x9f"
				      "e",
			7));
	assert_false(text_is_printable("a\nb", 3));
	assert_false(text_is_printable("\xc3", 1));
	assert_false(text_is_printable("\xc0\xaf", 2));
	assert_false(text_is_printable("\xed\xa0\x80", 3));
	assert_false(text_is_printable("\xf5\x80\x80\x80", 4));
}

static void trimming_takes_both_ends(void **state) {
	(void)state;
	struct span span = span_trim((struct span){ " \tx y ", 6 });
	assert_true(span_is(span, "x y"));
}

static void hex_goes_both_ways(void **state) {
	(void)state;
	uint8_t bytes[2];
	assert_int_equal(hex_decode("aBfF", 4, bytes), 0);
	char text[5];
	hex_encode(bytes, 2, text);
	assert_string_equal(text, "ABFF");
	assert_int_equal(hex_decode("abc", 3, bytes), -EBADMSG);
	assert_int_equal(hex_decode("ag", 2, bytes), -EBADMSG);
}

static void quoting_leaves_no_line_break(void **state) {
	(void)state;
	struct log_quoted quoted = log_quote("a\"b\nc");
	assert_string_equal(quoted.text, "\"a\\\"b\\x0ac\"");
	char big[1000];
	memset(big, '\n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	quoted = log_quote(big);
	assert_true(strlen(quoted.text) < sizeof(quoted.text));
	assert_int_equal(quoted.text[strlen(quoted.text) - 1], '"');
}

static void text_that_does_not_fit_fails_the_writer(void **state) {
	(void)state;
	char out[8];
	struct writer w = writer_over(out, sizeof(out));
	text_put(&w, "ab");
	text_putf(&w, "%d", 345);
	text_put_span(&w, (struct span){ "xyz", 1 });
	assert_false(w.failed);
	assert_memory_equal(out, "ab345x", 6);
	text_putf(&w, "%d", 12);
	assert_true(w.failed);
	text_putf(&w, "%d", 1);
	assert_int_equal(w.left, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_cut_never_splits_a_character),
		UNIT(a_cut_of_formatted_text_does_not_either),
		UNIT(only_well_formed_text_is_printable),
		UNIT(trimming_takes_both_ends),
		UNIT(hex_goes_both_ways),
		UNIT(quoting_leaves_no_line_break),
		UNIT(text_that_does_not_fit_fails_the_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
