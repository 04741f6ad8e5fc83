/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/number.h"

static int parse(const char *text, int64_t *out) {
	return number_parse(text, strlen(text), -100, INT64_MAX, out);
}

static void numbers_are_read_whole(void **state) {
	(void)state;
	int64_t value = 7;
	assert_int_equal(parse("42", &value), 0);
	assert_int_equal(value, 42);
	assert_int_equal(parse("-100", &value), 0);
	assert_int_equal(value, -100);
	assert_int_equal(parse("9223372036854775807", &value), 0);
	assert_true(value == INT64_MAX);
}

static void anything_else_is_refused(void **state) {
	(void)state;
	int64_t value = 7;
	const char *const bad[] = { "", "-", "+1", " 1", "1 ", "0x10", "1.0" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(parse(bad[i], &value), -EBADMSG);
	}
	assert_int_equal(parse("-101", &value), -ERANGE);
	assert_int_equal(parse("9223372036854775808", &value), -ERANGE);
	assert_int_equal(parse("99999999999999999999999", &value), -ERANGE);
	assert_int_equal(value, 7);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(numbers_are_read_whole),
		UNIT(anything_else_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
