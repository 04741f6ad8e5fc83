/* SPDX-License-Identifier: MIT */
#include "cli/direct.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/own.h"
#include "base/text.h"
#include "cli/api.h"
#include "cli/named.h"
#include "cli/show.h"
#include "cli/table.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	DONE = 0,
	REFUSED = 1,
	USAGE = 2,
	UNREACHABLE = 3,
	ANSWER_MS = 9000, /* for what the host makes; we ourselves wait 10 s for bytes */
};

/* ---- calls ---- */

static int unreachable(const struct api *api, int rc) {
	fprintf(stderr, "perigee: no host answers at %s: %s\n", api->socket, strerror(-rc));
	return UNREACHABLE;
}

static int complain(const struct api_answer *answer) {
	const char *error = json_string_value(json_object_get(answer->json, "error"));
	fputs("perigee: ", stderr);
	show_text(stderr, error ? error : "the host refused and did not say why.");
	fputs(error && strcmp(error, "Invalid PIN") == 0 ? " (--pin says it)\n" : "\n", stderr);
	return REFUSED;
}

/* Takes the body. DONE: *out is to be finished. */
static int call(const struct direct_options *options, const char *target, json_t *body,
		struct api_answer *out) {
	struct api api;
	int rc = api_find(options->runtime, &api);
	rc = rc < 0 ? rc : api_call(&api, target, body, out);
	json_decref(body);
	if (rc < 0) {
		return unreachable(&api, rc);
	}
	if (out->status != 200) {
		rc = complain(out);
		api_answer_finish(out);
		return rc;
	}
	return DONE;
}

/* Prints the list of that name, or what else there is. */
static int call_and_print(const struct direct_options *options, const char *target, json_t *body,
		const char *list, const char *none) {
	struct api_answer answer = { 0 };
	int rc = call(options, target, body, &answer);
	if (rc != DONE) {
		return rc;
	}
	json_t *rows = list ? json_object_get(answer.json, list) : NULL;
	if (options->json) {
		json_dumpf(answer.json, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (rows && json_array_size(rows) == 0) {
		puts(none);
	} else if (rows) {
		table_show_list(stdout, list, rows);
	} else {
		json_object_del(answer.json, "success");
		if (json_object_size(answer.json) > 0) {
			show_json(stdout, answer.json);
		} else {
			puts(none);
		}
	}
	api_answer_finish(&answer);
	return DONE;
}

static void put(json_t *body, const char *name, const char *value) {
	if (value) {
		json_object_set_new(body, name, json_string(value));
	}
}

static int usage(const char *words) {
	fprintf(stderr, "perigee: %s\n", words);
	return USAGE;
}

/* ---- sessions ---- */

int direct_sessions(const struct direct_options *options, const char *verb, const char *id) {
	if (!verb) {
		return call_and_print(options, "/api/v1/sessions", NULL, "sessions",
				"Nobody has a session.");
	}
	bool stop = strcmp(verb, "stop") == 0;
	if ((!stop && strcmp(verb, "pause") != 0) || !id) {
		return usage("say sessions, sessions pause ID, or sessions stop ID.");
	}
	char session[NAMED_ID_MAX];
	if (!named_session(options->runtime, id, session)) {
		return REFUSED;
	}
	return call_and_print(options, stop ? "/api/v1/sessions/stop" : "/api/v1/sessions/pause",
			json_pack("{s:s}", "session_id", session), NULL,
			stop ? "The session ends." : "The viewer is sent away; its desktop stays.");
}

/* ---- lobbies ---- */

/* Digits as Wolf wants them. False when it is none. */
static bool put_pin(json_t *body, const char *pin) {
	if (!pin) {
		return true;
	}
	json_t *digits = json_array();
	for (const char *c = pin; *c; c++) {
		if (*c < '0' || *c > '9') {
			json_decref(digits);
			return false;
		}
		json_array_append_new(digits, json_integer(*c - '0'));
	}
	json_object_set_new(body, "pin", digits);
	return true;
}

static int lobby_create(const struct direct_options *options, const char *name) {
	if (!name || (!options->app && !options->run)) {
		return usage("say lobby create NAME --app APP, or --run COMMAND.");
	}
	char app[NAMED_ID_MAX];
	if (options->app && !named_app(options->runtime, options->app, app)) {
		return REFUSED;
	}
	json_t *body = json_pack("{s:s,s:i}", "name", name, "deadline_ms", ANSWER_MS);
	put(body, "app_id", options->app ? app : NULL);
	if (options->run) {
		json_object_set_new(body, "runner",
				json_pack("{s:s,s:s}", "type", "process", "run_cmd", options->run));
	}
	if (!put_pin(body, options->pin)) {
		json_decref(body);
		return usage("a PIN has digits only.");
	}
	return call_and_print(options, "/api/v1/lobbies/create", body, NULL, "");
}

int direct_lobby(const struct direct_options *options, const char *verb, const char *id) {
	static const struct {
		const char *verb, *target, *done;
		bool session, pin, role;
	} verbs[] = {
		{ "join", "/api/v1/lobbies/join", "It is in the lobby.", true, true, true },
		{ "leave", "/api/v1/lobbies/leave", "It is back at its own desktop.", true, false,
				false },
		{ "pause", "/api/v1/lobbies/pause", "Nobody is in it until it is resumed.", false,
				true, false },
		{ "resume", "/api/v1/lobbies/resume", "It can be joined again.", false, true,
				false },
		{ "stop", "/api/v1/lobbies/stop", "The lobby ends.", false, true, false },
		{ "kick", "/api/v2/lobbies/kick", "It is put out.", true, false, false },
	};
	if (!verb || strcmp(verb, "list") == 0) {
		return call_and_print(
				options, "/api/v1/lobbies", NULL, "lobbies", "There is no lobby.");
	}
	if (strcmp(verb, "create") == 0) {
		return lobby_create(options, id);
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verb, verbs[i].verb) != 0) {
			continue;
		}
		if (!id) {
			return usage(verbs[i].session ? "say which: LOBBY --session CLIENT."
						      : "say which lobby.");
		}
		char lobby[NAMED_ID_MAX], session[NAMED_ID_MAX];
		if (!named_lobby(options->runtime, id, lobby) ||
				(verbs[i].session && !named_session(options->runtime,
								     options->session, session))) {
			return REFUSED;
		}
		json_t *body = json_pack("{s:s}", "lobby_id", lobby);
		if (verbs[i].session) {
			put(body, "moonlight_session_id", session);
		}
		put(body, "role", verbs[i].role ? options->role : NULL);
		if (verbs[i].role) {
			json_object_set_new(body, "deadline_ms", json_integer(ANSWER_MS));
		}
		if (!put_pin(body, verbs[i].pin ? options->pin : NULL)) {
			json_decref(body);
			return usage("a PIN has digits only.");
		}
		return call_and_print(options, verbs[i].target, body, NULL, verbs[i].done);
	}
	return usage("say lobby list, create, join, leave, pause, resume, stop or kick.");
}

/* ---- tokens ---- */

static json_t *split(const char *list) {
	json_t *out = json_array();
	while (list && *list) {
		size_t len = strcspn(list, ",");
		json_array_append_new(out, json_stringn(list, len));
		list += len + (list[len] == ',');
	}
	return out;
}

int direct_token(const struct direct_options *options, const char *verb, const char *id) {
	if (!verb || strcmp(verb, "list") == 0) {
		return call_and_print(
				options, "/api/v2/tokens", NULL, "tokens", "There is no token.");
	}
	if (strcmp(verb, "create") == 0 && options->scope) {
		json_t *body = json_pack("{s:o}", "scopes", split(options->scope));
		put(body, "name", options->name);
		return call_and_print(options, "/api/v2/tokens/create", body, NULL, "");
	}
	if (strcmp(verb, "remove") == 0 && id) {
		return call_and_print(options, "/api/v2/tokens/remove",
				json_pack("{s:s}", "token_id", id), NULL,
				"The token lets nobody in any more.");
	}
	return usage("say token list, token create --scope read,lobbies [--name N], or token "
		     "remove ID.");
}
