/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <jansson.h>

#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/log_line.h"

static void expect(const char *line, const char *wanted) {
	json_t *object = log_line_parse(line);
	char *text = json_dumps(object, JSON_COMPACT);
	assert_string_equal(text, wanted);
	free(text);
	json_decref(object);
}

static void fields_are_named_and_quotes_undone(void **state) {
	(void)state;
	expect("time=2026-11-26T08:23:29.270428Z level=info event=lobby-end ran_ms=514",
			"{\"time\":\"2026-11-26T08:23:29.270428Z\",\"level\":\"info\","
			"\"event\":\"lobby-end\",\"ran_ms\":\"514\"}");
	expect("detail=\"exited with status 0\" corpse=0",
			"{\"detail\":\"exited with status 0\",\"corpse\":\"0\"}");
	expect("empty= last=\"\"", "{\"empty\":\"\",\"last\":\"\"}");
}

static void what_the_log_quotes_comes_back(void **state) {
	(void)state;
	static const char *const texts[] = { "", "a \"b\" \\ c", "two\nlines\x7f", "\xe2\x82\xac" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char line[200];
		text_format(line, sizeof(line), "a=%s b=1", log_quote(texts[i]).text);
		json_t *object = log_line_parse(line);
		assert_string_equal(json_string_value(json_object_get(object, "a")), texts[i]);
		assert_string_equal(json_string_value(json_object_get(object, "b")), "1");
		json_decref(object);
	}
}

static void another_line_stays_whole(void **state) {
	(void)state;
	static const char *const lines[] = { "", "words alone", "a=1 and words", "a=\"no end",
		"a=\"x\"y", "a=\"\\q\"", "=1", "a=1  b=2" };
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		json_t *object = log_line_parse(lines[i]);
		assert_int_equal(json_object_size(object), 1);
		assert_string_equal(json_string_value(json_object_get(object, "line")), lines[i]);
		json_decref(object);
	}
	json_t *object = log_line_parse("a=\xff");
	assert_non_null(json_object_get(object, "line"));
	json_decref(object);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(fields_are_named_and_quotes_undone),
		UNIT(what_the_log_quotes_comes_back),
		UNIT(another_line_stays_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
