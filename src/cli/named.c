/* SPDX-License-Identifier: MIT */
#include "cli/named.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/text.h"
#include "cli/api.h"

enum {
	SESSION_DIGITS = 16, /* as the log has it: hexadecimal, with its zeros */
	DESKTOP_ID_MAX = 39,
};

/* Owned; NULL when the host does not tell. */
static json_t *fetch(const char *runtime, const char *target, const char *list) {
	struct api api;
	struct api_answer answer = { 0 };
	json_t *rows = NULL;
	if (api_find(runtime, &api) < 0 || api_call(&api, target, NULL, &answer) < 0) {
		return NULL;
	}
	if (answer.status == 200) {
		rows = json_incref(json_object_get(answer.json, list));
	}
	api_answer_finish(&answer);
	return rows;
}

static const char *text_of(const json_t *row, const char *name) {
	const char *text = json_string_value(json_object_get(row, name));
	return text ? text : "";
}

/* The id of the row that is called so. Answers how many are; an id that is said counts alone. */
static unsigned find(json_t *rows, const char *id, const char *name, const char *said,
		char out[NAMED_ID_MAX]) {
	unsigned count = 0;
	size_t i;
	json_t *row;
	text_copy(out, NAMED_ID_MAX, said);
	json_array_foreach(rows, i, row) {
		if (strcmp(text_of(row, id), said) == 0) {
			text_copy(out, NAMED_ID_MAX, said);
			return 1;
		}
		if (strcasecmp(text_of(row, name), said) == 0) {
			text_copy(out, NAMED_ID_MAX, text_of(row, id));
			count++;
		}
	}
	return count;
}

void named_app(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/apps", "apps");
	(void)find(rows, "app_id", "title", said, out);
	json_decref(rows);
}

bool named_lobby(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/lobbies", "lobbies");
	unsigned count = find(rows, "id", "name", said, out);
	json_decref(rows);
	if (count > 1) {
		fprintf(stderr,
				"perigee: %u lobbies have that name; say which by its id "
				"(perigee lobby list).\n",
				count);
	}
	return count <= 1;
}

void named_session(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	char *end = NULL;
	char decimal[NAMED_ID_MAX];
	uint64_t number = strtoull(said, &end, 16);
	json_t *rows = fetch(runtime, "/api/v1/sessions", "sessions");
	text_format(decimal, sizeof(decimal), "%" PRIu64, number);
	bool is_number = strlen(said) == SESSION_DIGITS && end == said + SESSION_DIGITS;
	if (find(rows, "session_id", "session_id", said, out) == 0 && is_number &&
			find(rows, "session_id", "session_id", decimal, out) == 0) {
		text_copy(out, NAMED_ID_MAX, said);
	}
	json_decref(rows);
}

bool named_desktop(const char *runtime, const char *said, const char **out_field,
		char out[NAMED_ID_MAX]) {
	static const char usual[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	named_session(runtime, said, out);
	if (strcmp(out, said) == 0 && !named_lobby(runtime, said, out)) {
		return false;
	}
	if (!out[0] || strlen(out) > DESKTOP_ID_MAX || out[strspn(out, usual)] != '\0') {
		fputs("perigee: there is no session and no lobby of that name (perigee sessions, "
		      "perigee lobby list).\n",
				stderr);
		return false;
	}
	*out_field = out[strspn(out, "0123456789")] ? "lobby_id" : "session_id";
	return true;
}
