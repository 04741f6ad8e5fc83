/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "desktop/clip_text.h"

static void the_best_form_is_read_wherever_it_stands(void **state) {
	(void)state;
	static const struct {
		const char *forms[4];
		int wanted;
	} rows[] = {
		{ { "image/png", "text/plain", "UTF8_STRING", "text/plain;charset=utf-8" }, 3 },
		{ { "STRING", "TEXT", "UTF8_STRING", "x" }, 2 },
		{ { "STRING", "text/html", "x", "text/plain" }, 3 },
		{ { "STRING", "image/png", "x", "y" }, 0 },
		{ { "image/png", "text/html", "text/plainer", "" }, -1 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(clip_text_choose(rows[i].forms, 4), rows[i].wanted);
	}
	assert_int_equal(clip_text_choose(NULL, 0), -1);
	for (unsigned i = 0; i < CLIP_TEXT_OFFERED; i++) {
		const char *form = clip_text_form(i);
		assert_int_equal(clip_text_choose(&form, 1), 0);
	}
}

static void utf8_alone_is_text(void **state) {
	(void)state;
	static const char *const good[] = { "", "plain\n\ttext", "\u20ac \u00e9 \U0001f600",
		"\xf4\x8f\xbf\xbf", "\xee\x80\x80", "\xed\x9f\xbf" };
	static const char *const bad[] = { "\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\x80",
		"\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"caf\xe9", "\xe2\x82", "\xe2\x82z", "x\xf0\x9f\x98" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(clip_text_is_valid((const uint8_t *)good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(clip_text_is_valid((const uint8_t *)bad[i], strlen(bad[i])));
	}
	assert_false(clip_text_is_valid((const uint8_t *)"a\0b", 3));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_form_is_read_wherever_it_stands),
		cmocka_unit_test(utf8_alone_is_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
