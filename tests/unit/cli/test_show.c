/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/show.h"

static void shows(const char *json, const char *expected) {
	json_t *value = json_loads(json, 0, NULL);
	assert_non_null(value);
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	show_json(file, value);
	fclose(file);
	assert_string_equal(text, expected);
	free(text);
	assert_int_equal(value->refcount, 1);
	json_decref(value);
}

static void members_have_a_line_each_and_lists_a_dash(void **state) {
	(void)state;
	shows("{\"a\":1,\"b\":{\"c\":true,\"d\":null},\"e\":[],\"f\":[1,2.5,\"x\"]}",
			"a: 1\nb:\n  c: yes\n  d: -\ne: none\nf: 1 2.5 x\n");
	shows("{\"list\":[{\"id\":1,\"name\":\"x\"},{\"id\":2}]}",
			"list:\n  - id: 1\n    name: x\n  - id: 2\n");
	shows("[{\"id\":7}]", "- id: 7\n");
}

static void names_chosen_by_others_cannot_steer_the_terminal(void **state) {
	(void)state;
	shows("{\"name\":\"a\\u001b[2Jb\\n\"}", "name: a?[2Jb?\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(members_have_a_line_each_and_lists_a_dash),
		UNIT(names_chosen_by_others_cannot_steer_the_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
