/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "apps/home_link.h"
#include "base/text.h"

/* Requests and answers as text. */

OWN_DEFINE(json_t *, json_decref)

/* ---- requests ---- */

static const char *const paths[HOME_WANTS] = {
	[HOME_NOTHING] = "/api/v2/launcher",
	[HOME_LOG_IN] = "/api/v2/launcher/profile",
	[HOME_CREATE] = "/api/v2/launcher/create",
	[HOME_JOIN] = "/api/v2/launcher/join",
	[HOME_STOP] = "/api/v2/launcher/stop",
	[HOME_LOG_OUT] = "/api/v2/launcher/profile",
};

static json_t *body_of(const struct home_request *request) {
	static const char *const names[HOME_WANTS] = { [HOME_LOG_IN] = "profile_id",
		[HOME_CREATE] = "app_id",
		[HOME_JOIN] = "lobby_id",
		[HOME_STOP] = "lobby_id",
		[HOME_LOG_OUT] = "profile_id" };
	json_t *body = json_pack("{s:s}", names[request->want], request->id);
	json_t *pin = json_array();
	for (const char *at = request->pin; *at; at++) {
		json_array_append_new(pin, json_integer(*at - '0'));
	}
	json_object_set_new(body, "pin", pin);
	if (request->want == HOME_CREATE) {
		json_object_set_new(body, "several", json_boolean(request->several));
		json_object_set_new(body, "profile_id", json_string(request->profile));
	}
	return body;
}

int home_link_write(const struct home_request *request, char *out, size_t size) {
	bool looks = request->want == HOME_NOTHING;
	OWN(json_decref) json_t *body = looks ? NULL : body_of(request);
	char text[HOME_REQUEST_MAX / 2] = "";
	size_t len = looks ? 0 : json_dumpb(body, text, sizeof(text) - 1, JSON_COMPACT);
	if (len >= sizeof(text) ||
			!text_format(out, size,
					"%s %s HTTP/1.1\r\nHost: perigee\r\nConnection: close\r\n"
					"Content-Length: %zu\r\n\r\n%s",
					looks ? "GET" : "POST", paths[request->want], len, text)) {
		return -ENOSPC;
	}
	explicit_bzero(text, sizeof(text));
	return (int)strlen(out);
}

/* ---- answers ---- */

static void put(char *out, size_t size, const json_t *object, const char *name) {
	const char *text = json_string_value(json_object_get(object, name));
	text_copy(out, size, text ? text : "");
}

static bool is_set(const json_t *object, const char *name) {
	return json_is_true(json_object_get(object, name));
}

static void read_profiles(const json_t *list, struct home_world *world) {
	for (size_t i = 0; i < json_array_size(list) && i < HOME_PROFILES_MAX; i++) {
		const json_t *row = json_array_get(list, i);
		struct home_profile *profile = &world->profiles[world->profiles_count++];
		put(profile->id, sizeof(profile->id), row, "id");
		put(profile->name, sizeof(profile->name), row, "name");
		profile->has_pin = is_set(row, "pin_required");
	}
}

static void read_apps(const json_t *list, struct home_world *world) {
	for (size_t i = 0; i < json_array_size(list) && i < HOME_APPS_MAX; i++) {
		const json_t *row = json_array_get(list, i);
		struct home_app *app = &world->apps[world->apps_count++];
		put(app->id, sizeof(app->id), row, "id");
		put(app->title, sizeof(app->title), row, "title");
		put(app->why_not, sizeof(app->why_not), row, "why_not");
		app->installed = is_set(row, "installed");
	}
}

static void read_lobbies(const json_t *list, struct home_world *world) {
	for (size_t i = 0; i < json_array_size(list) && i < HOME_LOBBIES_MAX; i++) {
		const json_t *row = json_array_get(list, i),
			     *names = json_object_get(row, "members");
		struct home_lobby *lobby = &world->lobbies[world->lobbies_count++];
		const char *state = json_string_value(json_object_get(row, "state"));
		put(lobby->id, sizeof(lobby->id), row, "id");
		put(lobby->name, sizeof(lobby->name), row, "name");
		lobby->has_pin = is_set(row, "pin_required");
		lobby->one_at_a_time = !is_set(row, "multi_user");
		lobby->is_private = is_set(row, "private");
		lobby->mine = is_set(row, "mine");
		lobby->ready = state && strcmp(state, "ready") == 0;
		lobby->paused = state && strcmp(state, "paused") == 0;
		lobby->members = (unsigned)json_array_size(names);
		for (size_t j = 0; j < json_array_size(names); j++) {
			const char *name = json_string_value(json_array_get(names, j));
			size_t used = strlen(lobby->who);
			text_format(lobby->who + used, sizeof(lobby->who) - used, "%s%s",
					j ? ", " : "", name && name[0] ? name : "somebody");
		}
	}
}

int home_link_read(const char *answer, size_t len, struct home_said *out) {
	memset(out, 0, sizeof(*out)); /* worlds are compared as bytes */
	const char *body = memmem(answer, len, "\r\n\r\n", 4);
	if (!body) {
		return -EBADMSG;
	}
	OWN(json_decref)
	json_t *said = json_loadb(
			body + 4, len - (size_t)(body + 4 - answer), JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(said) || !json_is_boolean(json_object_get(said, "success"))) {
		return -EBADMSG;
	}
	out->done = is_set(said, "success");
	put(out->words, sizeof(out->words), said, "error");
	put(out->lobby, sizeof(out->lobby), said, "lobby_id");
	out->has_world = json_is_array(json_object_get(said, "apps"));
	read_profiles(json_object_get(said, "profiles"), &out->world);
	read_apps(json_object_get(said, "apps"), &out->world);
	read_lobbies(json_object_get(said, "lobbies"), &out->world);
	return 0;
}
