/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "supervisor/homes.h"

static void a_title_becomes_a_folders_name(void **state) {
	(void)state;
	char name[64];
	homes_name("Super-Tux Kart 2", false, name, sizeof(name));
	assert_string_equal(name, "Super-Tux_Kart_2");
	homes_name("../../etc", false, name, sizeof(name));
	assert_string_equal(name, "______etc");
}

static void what_differs_stays_apart(void **state) {
	(void)state;
	char plain[64], a[64], b[64], text[200];
	homes_name("one-2", true, plain, sizeof(plain));
	assert_string_equal(plain, "one-2");
	homes_name("agents/one", true, a, sizeof(a));
	homes_name("agents_one", true, b, sizeof(b));
	assert_int_equal(strncmp(a, "agents_one-", 11), 0);
	assert_string_not_equal(a, b);
	memset(text, 'x', sizeof(text));
	text[198] = 'a';
	text[199] = '\0';
	homes_name(text, true, a, sizeof(a));
	text[198] = 'b';
	homes_name(text, true, b, sizeof(b));
	assert_int_equal(strlen(a), sizeof(a) - 1);
	assert_string_not_equal(a, b);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_title_becomes_a_folders_name),
		UNIT(what_differs_stays_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
