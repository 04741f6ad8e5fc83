/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "host/service_name.h"

static void made(const char *text, const char *wanted) {
	char out[SERVICE_NAME_MAX];
	service_name_make(text, out);
	assert_string_equal(out, wanted);
}

static void next(const char *text, const char *wanted) {
	char out[SERVICE_NAME_MAX];
	service_name_next(text, out);
	assert_string_equal(out, wanted);
}

static void names_are_plain(void **state) {
	(void)state;
	made("gaming-pc", "gaming-pc");
	made("Anna's  PC!", "Anna-s-PC");
	made("--x--", "x");
	made("\xc3\xbc", "Perigee");
	made("", "Perigee");
}

static void names_fit_a_label(void **state) {
	(void)state;
	char text[200], out[SERVICE_NAME_MAX];
	memset(text, 'a', sizeof(text));
	text[199] = '\0';
	service_name_make(text, out);
	assert_int_equal(strlen(out), 63);
	service_name_next(out, out);
	assert_int_equal(strlen(out), 63);
	assert_string_equal(out + 60, "a-2");
}

static void taken_names_are_counted_up(void **state) {
	(void)state;
	next("pc", "pc-2");
	next("pc-2", "pc-3");
	next("pc-9", "pc-10");
	next("pc-1", "pc-1-2");
	next("pc-x", "pc-x-2");
	next("pc-", "pc--2");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(names_are_plain),
		UNIT(names_fit_a_label),
		UNIT(taken_names_are_counted_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
