/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* What Home asks by the socket that lies in its desktop alone. Whose viewer it is about is
 * what socket it came by: no request names a session. What an app or a lobby is beyond its
 * name is not told. */

enum {
	ANSWER_MS = 30000, /* the supervisor's own deadlines are shorter */
};

/* ---- what there is ---- */

static json_t *profiles_json(const struct gate *gate) {
	json_t *list = json_array(), *row;
	const char *id;
	json_object_foreach(gate->web.profiles, id, row) {
		json_array_append_new(
				list, json_pack("{s:s,s:s,s:b}", "id", id, "name",
						      schema_text(row, "name", ""), "pin_required",
						      schema_flag(row, "pin_required", false)));
	}
	return list;
}

static json_t *apps_json(const struct gate *gate) {
	json_t *list = json_array();
	for (size_t i = 0; i < gate->apps.count; i++) {
		const struct app *app = &gate->apps.list[i];
		char number[16];
		text_format(number, sizeof(number), "%d", app->id);
		if (!(app->flags & APP_LAUNCHER)) {
			json_array_append_new(
					list, json_pack("{s:s,s:s,s:b,s:s}", "id", number, "title",
							      app->title, "installed",
							      (app->flags & APP_INSTALLED) != 0,
							      "why_not", app->why_not));
		}
	}
	return list;
}

/* Names, which people know each other by. */
static json_t *members_json(struct gate *gate, const json_t *lobby) {
	json_t *names = json_array(), *sessions = json_object_get(lobby, "connected_sessions");
	for (size_t i = 0; i < json_array_size(sessions); i++) {
		json_t *one = json_pack("{s:O}", "id", json_array_get(sessions, i));
		const struct web_session *row = web_session_find(&gate->web, schema_id(one, "id"));
		json_array_append_new(names, json_string(row ? row->client_name : ""));
		json_decref(one);
	}
	return names;
}

/* By whoever looks at that desktop, on whatever device of theirs with the same pairing. */
static bool is_mine(struct gate *gate, uint64_t desk, const json_t *lobby) {
	const struct web_session *viewer = web_session_find(&gate->web, desk);
	char client[65];
	if (!viewer) {
		return false;
	}
	hex_encode(viewer->client, 32, client);
	return strcmp(client, schema_text(lobby, "made_by_client", "")) == 0;
}

static json_t *lobbies_json(struct gate *gate, uint64_t desk) {
	json_t *list = json_array(), *row;
	const char *id;
	json_object_foreach(gate->web.lobbies, id, row) {
		json_array_append_new(list,
				json_pack("{s:s,s:s,s:b,s:b,s:b,s:b,s:s,s:o}", "id", id, "name",
						schema_text(row, "name", ""), "multi_user",
						schema_flag(row, "multi_user", true), "private",
						schema_flag(row, "private", false), "mine",
						is_mine(gate, desk, row), "pin_required",
						schema_flag(row, "pin_required", false), "state",
						schema_text(row, "state", ""), "members",
						members_json(gate, row)));
	}
	return list;
}

void api_handle_launcher(struct request *request) {
	struct gate *gate = request->gate;
	api_answer(request->connection, 200,
			json_pack("{s:b,s:o,s:o,s:o}", "success", 1, "profiles",
					profiles_json(gate), "apps", apps_json(gate), "lobbies",
					lobbies_json(gate, request->connection->desk)));
}

/* ---- who is there ---- */

/* The supervisor keeps it, for the doors that come after this one as well. */
static void tell_profile(struct gate *gate, uint64_t desk, const char *profile) {
	struct ipc_message message = { .kind = IPC_DESK_PROFILE, .desk_profile.desk = desk };
	text_copy(message.desk_profile.profile, sizeof(message.desk_profile.profile), profile);
	gate_post(gate, &message);
}

/* The store counts wrong ones. Without an id nobody is there any more. */
void api_handle_launcher_profile(struct request *request) {
	struct connection *connection = request->connection;
	if (!schema_text(request->json, "profile_id", "")[0]) {
		tell_profile(request->gate, connection->desk, "");
		api_success(connection);
		return;
	}
	struct ipc_message message = { .kind = IPC_PROFILE_PIN,
		.profile_ref.request = connection_request(connection) };
	text_copy(message.profile_ref.id, sizeof(message.profile_ref.id),
			schema_text(request->json, "profile_id", ""));
	if (!api_read_pin(request->json, message.profile_ref.pin,
			    sizeof(message.profile_ref.pin))) {
		api_error(connection, 403, "Invalid PIN");
		return;
	}
	connection->awaits = AWAITS_PROFILE;
	connection->wait = json_string(message.profile_ref.id);
	connection_extend(connection, GATE_STORE_MS);
	if (!gate_post_store(request->gate, &message)) {
		json_decref((json_t *)TAKE(connection->wait, NULL));
		api_error(connection, 503, "The host's database has too much to do.");
	}
	explicit_bzero(&message, sizeof(message));
}

void api_handle_launcher_proven(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->state_done.request, AWAITS_PROFILE);
	json_t *profile = connection ? (json_t *)TAKE(connection->wait, NULL) : NULL;
	if (profile && message->state_done.reason == REASON_NONE) {
		tell_profile(gate, connection->desk, json_string_value(profile));
		api_success(connection);
	} else if (connection) {
		api_refuse(connection, message->state_done.reason, message->state_done.detail);
	}
	json_decref(profile);
}

/* ---- what is asked ---- */

static void ask(struct request *request, enum ipc_desk_verb what, bool open) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_DESK_ASK,
		.desk_ask = { .request = connection_request(connection),
				.desk = connection->desk,
				.what = (uint8_t)what,
				.open = open,
				.several = schema_flag(request->json, "several", false) } };
	uint64_t app = schema_id(request->json, "app_id");
	message.desk_ask.app = app <= INT32_MAX ? (int32_t)app : 0;
	text_copy(message.desk_ask.lobby, sizeof(message.desk_ask.lobby),
			schema_text(request->json, "lobby_id", ""));
	text_copy(message.desk_ask.owner, sizeof(message.desk_ask.owner),
			schema_text(request->json, "profile_id", ""));
	if (!api_read_pin(request->json, message.desk_ask.pin, sizeof(message.desk_ask.pin))) {
		api_error(connection, 403, "Invalid PIN");
		return;
	}
	connection->awaits = what == DESK_CREATE ? AWAITS_LOBBY_CREATED : AWAITS_LOBBY_DONE;
	connection_extend(connection, ANSWER_MS);
	gate_post(request->gate, &message);
	explicit_bzero(&message, sizeof(message));
}

/* False: it was answered that there is no such profile. Whether its PIN was given knows the
 * supervisor. */
static bool read_owner(struct request *request, bool *out_open) {
	const char *owner = schema_text(request->json, "profile_id", "");
	const json_t *row = json_object_get(request->gate->web.profiles, owner);
	if (owner[0] && !row) {
		api_error(request->connection, 404, "There is no such profile.");
		return false;
	}
	*out_open = row && !schema_flag(row, "pin_required", true);
	return true;
}

void api_handle_launcher_create(struct request *request) {
	bool open = false;
	if (read_owner(request, &open)) {
		ask(request, DESK_CREATE, open);
	}
}

void api_handle_launcher_join(struct request *request) {
	ask(request, DESK_JOIN, false);
}

void api_handle_launcher_leave(struct request *request) {
	ask(request, DESK_LEAVE, false);
}

void api_handle_launcher_stop(struct request *request) {
	ask(request, DESK_STOP, false);
}
