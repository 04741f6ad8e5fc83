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
#include "cli/row.h"
#include "cli/show.h"

enum {
	BEGINNING_MIN = 4,   /* characters of a client's id that are enough to mean it */
	SESSION_DIGITS = 16, /* as the log has it: hexadecimal, with its zeros */
};

#define DIGITS "0123456789"
/* What is in an id, and fit for an address. */
#define USUAL DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"

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

/* The id of the row that is called so. Answers how many are; an id that is said counts alone. */
static unsigned find(json_t *rows, const char *id, const char *name, const char *said,
		char out[NAMED_ID_MAX]) {
	unsigned count = 0;
	size_t i;
	json_t *row;
	text_copy(out, NAMED_ID_MAX, said);
	json_array_foreach(rows, i, row) {
		if (strcmp(row_text(row, id), said) == 0) {
			text_copy(out, NAMED_ID_MAX, said);
			return 1;
		}
		if (strcasecmp(row_text(row, name), said) == 0) {
			text_copy(out, NAMED_ID_MAX, row_text(row, id));
			count++;
		}
	}
	return count;
}

/* Says why said names nothing, or too much. What looks like a number goes to the host as it is,
 * and so does everything when the host does not tell. */
static bool is_named(const json_t *rows, unsigned count, const char *what, const char *said,
		const char *list) {
	if (!rows || count == 1 || (count == 0 && said[0] && !said[strspn(said, DIGITS)])) {
		return true;
	}
	if (count == 0) {
		fprintf(stderr, "perigee: there is no %s called ", what);
		show_text(stderr, said);
		fprintf(stderr, " (perigee %s).\n", list);
	} else {
		fprintf(stderr, "perigee: %u have that name; say which by its id (perigee %s).\n",
				count, list);
	}
	return false;
}

bool named_app(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/apps", "apps");
	bool named = is_named(rows, find(rows, "app_id", "title", said, out), "app", said, "apps");
	json_decref(rows);
	return named;
}

bool named_lobby(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/lobbies", "lobbies");
	bool named = is_named(
			rows, find(rows, "id", "name", said, out), "lobby", said, "lobby list");
	json_decref(rows);
	return named;
}

/* Fingerprints are long: their first characters do, where they fit one alone. */
static unsigned find_by_beginning(json_t *rows, const char *said, char out[NAMED_ID_MAX]) {
	unsigned count = 0;
	size_t i, len = strlen(said);
	json_t *row;
	json_array_foreach(rows, i, row) {
		const char *id = row_text(row, "client_id");
		if (len >= BEGINNING_MIN && strncasecmp(id, said, len) == 0) {
			text_copy(out, NAMED_ID_MAX, id);
			count++;
		}
	}
	return count;
}

bool named_client(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/clients", "clients");
	unsigned count = find(rows, "client_id", "name", said, out);
	count = count == 0 ? find_by_beginning(rows, said, out) : count;
	bool named = !rows || count == 1 || is_named(rows, count, "client", said, "clients");
	json_decref(rows);
	return named;
}

/* How many sessions are meant. */
static unsigned find_session(json_t *rows, const char *said, char out[NAMED_ID_MAX]) {
	char *end = NULL;
	char decimal[NAMED_ID_MAX];
	uint64_t number = strtoull(said, &end, 16);
	text_format(decimal, sizeof(decimal), "%" PRIu64, number);
	bool is_number = strlen(said) == SESSION_DIGITS && end == said + SESSION_DIGITS;
	unsigned count = find(rows, "session_id", "session_id", said, out);
	count = count == 0 && is_number ? find(rows, "session_id", "session_id", decimal, out)
					: count;
	return count == 0 ? find(rows, "session_id", "client_name", said, out) : count;
}

bool named_session(const char *runtime, const char *said, char out[NAMED_ID_MAX]) {
	json_t *rows = fetch(runtime, "/api/v1/sessions", "sessions");
	size_t all = json_array_size(rows);
	bool named;
	if (said) {
		named = is_named(rows, find_session(rows, said, out), "session", said, "sessions");
	} else {
		named = all == 1;
		text_copy(out, NAMED_ID_MAX, row_text(json_array_get(rows, 0), "session_id"));
		if (!named) {
			fputs(all ? "perigee: there are several sessions; say which: --session "
				    "(perigee sessions).\n"
				  : "perigee: nobody has a session.\n",
					stderr);
		}
	}
	json_decref(rows);
	return named;
}

bool named_desktop(const char *runtime, const char *said, const char **out_field,
		char out[NAMED_ID_MAX]) {
	json_t *sessions = fetch(runtime, "/api/v1/sessions", "sessions");
	json_t *lobbies = fetch(runtime, "/api/v1/lobbies", "lobbies");
	char lobby[NAMED_ID_MAX];
	unsigned of_sessions = find_session(sessions, said, out);
	unsigned of_lobbies = find(lobbies, "id", "name", said, lobby);
	if (of_sessions == 0 && of_lobbies == 1) {
		text_copy(out, NAMED_ID_MAX, lobby);
	}
	bool named = is_named(sessions, of_sessions + of_lobbies, "session and no lobby", said,
				     "sessions, perigee lobby list") &&
		     out[0] && !out[strspn(out, USUAL)];
	*out_field = out[strspn(out, DIGITS)] ? "lobby_id" : "session_id";
	json_decref(sessions);
	json_decref(lobbies);
	return named;
}
