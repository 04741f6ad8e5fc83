/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/table.h"

static char *shown(const char *name, const char *json) {
	json_t *rows = json_loads(json, 0, NULL);
	assert_non_null(rows);
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	table_show_list(file, name, rows);
	fclose(file);
	json_decref(rows);
	return text;
}

static void shows(const char *name, const char *json, const char *expected) {
	char *text = shown(name, json);
	assert_string_equal(text, expected);
	free(text);
}

static void columns_are_as_wide_as_what_is_in_them(void **state) {
	(void)state;
	shows("apps",
			"[{\"title\":\"B\xc3\xbc"
			"cher\",\"app_id\":\"7\",\"support_hdr\":true,"
			"\"runner\":{\"type\":\"docker\"},\"installed\":true},"
			"{\"title\":\"X\",\"app_id\":\"12\",\"support_hdr\":false,"
			"\"runner\":{\"type\":\"process\"},\"installed\":false,"
			"\"why_not\":\"install x\"}]",
			"APP     RUNNER   HDR  ID  NOTE\n"
			"B\xc3\xbc"
			"cher  docker   yes  7   -\n"
			"X       process  -    12  not installed: install x\n");
	shows("lobbies",
			"[{\"name\":\"night\",\"state\":\"ready\",\"connected_sessions\":[\"1\","
			"\"2\"],"
			"\"multi_user\":true,\"pin_required\":true,\"video_width\":640,"
			"\"video_height\":360,\"video_refresh_rate\":30,\"id\":\"abc\"},"
			"{\"name\":\"mine\",\"state\":\"paused\",\"connected_sessions\":[],"
			"\"multi_user\":false,\"pin_required\":false,\"video_width\":1920,"
			"\"video_height\":1080,\"video_refresh_rate\":60,\"id\":\"def\"}]",
			"LOBBY  STATE   PEOPLE  PIN  SIZE       HZ  ID\n"
			"night  ready   2       yes  640x360    30  abc\n"
			"mine   paused  0 of 1  -    1920x1080  60  def\n");
}

static void what_a_client_may_is_said_whole_or_as_all(void **state) {
	(void)state;
	shows("clients",
			"[{\"name\":\"Sofa\",\"client_id\":\"0123456789abcdef0123\",\"only_apps\":["
			"],"
			"\"only_lobbies\":[],\"permissions\":[\"list\",\"launch\",\"keyboard\","
			"\"mouse\",\"touch\",\"gamepad\",\"clipboard\",\"lobby_create\","
			"\"lobby_join\"]},"
			"{\"name\":\"TV\",\"client_id\":\"ff\",\"only_apps\":[\"3\",\"9\"],"
			"\"only_lobbies\":[],\"permissions\":[\"list\"]}]",
			"CLIENT  ID                APPS  LOBBIES  MAY\n"
			"Sofa    0123456789abcdef  all   all      all\n"
			"TV      ff                3,9   all      list\n");
}

static void the_age_of_a_session_has_a_unit(void **state) {
	(void)state;
	static const struct {
		const char *age, *shown;
	} ages[] = { { "0", "  0 s  " }, { "119", "  119 s  " }, { "120", "  2 min  " },
		{ "7200", "  2 h  " }, { "172800", "  2 d  " } };
	for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
		char json[64];
		snprintf(json, sizeof(json), "[{\"session_id\":\"1\",\"age_s\":%s}]", ages[i].age);
		char *text = shown("sessions", json);
		const char *row = strchr(text, '\n');
		assert_non_null(row);
		if (!strstr(row, ages[i].shown)) {
			fail_msg("%s: %s", ages[i].age, row);
		}
		free(text);
	}
}

static void names_chosen_by_others_are_harmless(void **state) {
	(void)state;
	char *text = shown("lobbies", "[{\"name\":\"a\\u001b[2Jb\\n\"},{\"name\":7},{}]");
	assert_non_null(strstr(text, "\na?[2Jb?"));
	assert_null(strchr(text, 0x1b));
	free(text);
	char longest[400];
	snprintf(longest, sizeof(longest), "[{\"name\":\"%0300d\"}]", 7);
	text = shown("lobbies", longest);
	assert_true(strlen(text) < 2 * (TABLE_CELL_MAX + 60));
	free(text);
}

static void what_has_no_table_is_shown_whole(void **state) {
	(void)state;
	shows("tokens", "[{\"token_id\":5}]", "- token_id: 5\n");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(columns_are_as_wide_as_what_is_in_them),
		UNIT(what_a_client_may_is_said_whole_or_as_all),
		UNIT(the_age_of_a_session_has_a_unit),
		UNIT(names_chosen_by_others_are_harmless),
		UNIT(what_has_no_table_is_shown_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
