/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

OWN_DEFINE(json_t *, json_decref)

/* Lobbies as the supervisor tells of them, kept as the rows that the API shows, and what
 * programs ask of them. A PIN goes one way only. */

enum {
	ANSWER_MS = 30000, /* the supervisor's own deadlines are shorter */
	PIN_MAX = 19,
};

/* ---- rows ---- */

static json_t *row_json(const struct ipc_message *message, json_t *members, json_t *runner) {
	static const char *const states[LOBBY_STATES] = { "starting", "ready", "ending" };
	const __typeof__(message->lobby_state) *lobby = &message->lobby_state;
	static const uint8_t nobody[32];
	char desktop[API_ID_SIZE], client[65] = "";
	api_id_text(lobby->desktop, desktop);
	if (memcmp(lobby->client, nobody, sizeof(nobody)) != 0) {
		hex_encode(lobby->client, 32, client);
	}
	return json_pack("{s:s,s:s,s:s,s:b,s:s,s:b,s:b,s:o,s:o,s:s,s:i,s:i,s:i,s:i,s:i,s:s,s:s,s:b,"
			 "s:s}",
			"id", lobby->lobby, "name", lobby->name, "icon_png_path", lobby->icon,
			"multi_user", (lobby->flags & LOBBY_MULTI_USER) != 0,
			"started_by_profile_id", lobby->owner, "pin_required",
			(lobby->flags & LOBBY_HAS_PIN) != 0, "stop_when_everyone_leaves",
			(lobby->flags & LOBBY_STOP_WHEN_EVERYONE_LEAVES) != 0, "runner", runner,
			"connected_sessions", members, "state",
			lobby->flags & LOBBY_PAUSED ? "paused" : states[lobby->state], "app_id",
			lobby->app, "video_width", lobby->width, "video_height", lobby->height,
			"video_refresh_rate", (int)(lobby->rate_x100 + 50) / 100,
			"audio_channel_count", lobby->channels, "runner_state_folder",
			lobby->state_folder, "desktop_id", desktop, "private",
			(lobby->flags & LOBBY_PRIVATE) != 0, "made_by_client", client);
}

/* Of an app of the list; what a lobby has of its own comes behind its row. */
static json_t *listed_runner(const struct gate *gate, int32_t app) {
	char number[16];
	text_format(number, sizeof(number), "%d", app);
	json_t *runner = json_object_get(json_object_get(gate->web.apps, number), "runner");
	return runner ? json_incref(runner)
		      : json_pack("{s:s,s:s}", "type", "process", "run_cmd", "");
}

static void tell_of_rest(struct gate *gate, const char *id, bool before, bool now) {
	if (before != now) {
		events_tell(gate, now ? EVENT_LOBBY_PAUSED : EVENT_LOBBY_RESUMED, 0, id,
				json_pack("{s:s}", "lobby_id", id));
	}
}

static void tell_created(struct gate *gate, json_t *row) {
	static const char *const same[] = { "id", "name", "icon_png_path", "multi_user",
		"stop_when_everyone_leaves", "pin_required", "runner_state_folder", "runner" };
	json_t *event = json_pack("{s:O,s:{s:O,s:O,s:O},s:{s:O}}", "profile_id",
			json_object_get(row, "started_by_profile_id"), "video_settings", "width",
			json_object_get(row, "video_width"), "height",
			json_object_get(row, "video_height"), "refresh_rate",
			json_object_get(row, "video_refresh_rate"), "audio_settings",
			"channel_count", json_object_get(row, "audio_channel_count"));
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		json_object_set(event, same[i], json_object_get(row, same[i]));
	}
	events_tell(gate, EVENT_LOBBY_CREATED, 0, schema_text(row, "id", ""), event);
}

void api_handle_lobby_state(struct gate *gate, const struct ipc_message *message) {
	const char *id = message->lobby_state.lobby;
	json_t *old = json_object_get(gate->web.lobbies, id);
	json_t *members = old ? json_incref(json_object_get(old, "connected_sessions"))
			      : json_array();
	json_t *runner = old ? json_incref(json_object_get(old, "runner"))
			     : listed_runner(gate, message->lobby_state.app);
	bool was_paused = strcmp(schema_text(old, "state", ""), "paused") == 0;
	json_t *row = row_json(message, members, runner);
	if (!row || json_object_set(gate->web.lobbies, id, row) < 0) {
		json_decref(row);
		return;
	}
	if (old && gate->ready) {
		tell_of_rest(gate, id, was_paused,
				strcmp(schema_text(row, "state", ""), "paused") == 0);
	}
	if (old || !gate->ready) {
		json_decref(row);
		return;
	}
	if (message->lobby_state.app == 0) { /* its own runner is what is said next */
		text_copy(gate->web.lobby_untold, sizeof(gate->web.lobby_untold), id);
	} else {
		tell_created(gate, row);
	}
	json_decref(row);
}

void api_handle_lobby_runner(struct gate *gate, const struct ipc_message *message) {
	const __typeof__(message->lobby_runner) *own = &message->lobby_runner;
	json_t *row = json_object_get(gate->web.lobbies, own->lobby);
	if (row) {
		json_object_set_new(row, "runner",
				api_runner_json(schema_text(row, "name", ""), own->argv,
						own->argv_len, &own->how));
		if (strcmp(gate->web.lobby_untold, own->lobby) == 0) {
			gate->web.lobby_untold[0] = '\0';
			tell_created(gate, row);
		}
	}
}

/* Wolf UI cuts the ids of these three events out of their text: they hold what Wolf's hold
 * and no more, in its order. What else there is to tell has events of its own. */
void api_handle_lobby_gone(struct gate *gate, const struct ipc_message *message) {
	const char *id = message->lobby_gone.lobby;
	if (json_object_del(gate->web.lobbies, id) < 0) {
		return;
	}
	const struct reason_row *reason = reason_row(message->lobby_gone.reason);
	events_tell(gate, EVENT_LOBBY_STOPPED, 0, id, json_pack("{s:s}", "lobby_id", id));
	events_tell(gate, EVENT_LOBBY_ENDED, 0, id,
			json_pack("{s:s,s:s,s:s}", "lobby_id", id, "reason", reason->name, "detail",
					message->lobby_gone.detail[0] ? message->lobby_gone.detail
								      : reason->words));
}

static void drop_member(json_t *members, const char *session) {
	for (size_t i = json_array_size(members); i-- > 0;) {
		const char *text = json_string_value(json_array_get(members, i));
		if (text && strcmp(text, session) == 0) {
			json_array_remove(members, i);
		}
	}
}

void api_handle_lobby_member(struct gate *gate, const struct ipc_message *message) {
	const char *id = message->lobby_member.lobby;
	json_t *members = json_object_get(
			json_object_get(gate->web.lobbies, id), "connected_sessions");
	char session[API_ID_SIZE];
	api_id_text(message->lobby_member.session, session);
	if (!members) {
		return;
	}
	size_t before = json_array_size(members);
	drop_member(members, session);
	bool was = json_array_size(members) < before, is = message->lobby_member.present;
	if (is) {
		json_array_append_new(members, json_string(session));
	}
	if (was != is && gate->ready) {
		events_tell(gate, is ? EVENT_LOBBY_JOINED : EVENT_LOBBY_LEFT,
				message->lobby_member.session, id,
				json_pack("{s:s,s:s}", "lobby_id", id, "moonlight_session_id",
						session));
	}
	if (is && gate->ready) {
		events_tell(gate, EVENT_LOBBY_ROLE, message->lobby_member.session, id,
				json_pack("{s:s,s:s,s:s}", "lobby_id", id, "session_id", session,
						"role",
						message->lobby_member.role == ROLE_VIEWER
								? "viewer"
								: "player"));
	}
}

void api_handle_lobbies(struct request *request) {
	json_t *list = json_array(), *row;
	const char *id;
	json_object_foreach(request->gate->web.lobbies, id, row) {
		json_array_append(list, row);
	}
	api_answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "lobbies", list));
}

/* ---- create ---- */

bool api_read_pin(const json_t *body, char *out, size_t size) {
	const json_t *digits = json_object_get(body, "pin");
	size_t count = json_array_size(digits);
	if (count >= size || count > PIN_MAX) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		out[i] = (char)('0' + json_integer_value(json_array_get(digits, i)));
	}
	out[count] = '\0';
	return true;
}

/* What is wrong, or NULL. */
static const char *read_runner(const json_t *body, struct ipc_message *message) {
	const json_t *runner = json_object_get(body, "runner");
	__typeof__(message->lobby_create) *create = &message->lobby_create;
	int64_t app = (int64_t)schema_id(body, "app_id");
	if (app > 0 && app <= INT32_MAX) {
		create->app = (int32_t)app;
		return NULL;
	}
	if (!runner) {
		return "Say what runs: \"runner\", or an app of the list by \"app_id\".";
	}
	return api_read_runner(runner, create->argv, sizeof(create->argv), &create->argv_len,
			&create->how);
}

static void read_form(const json_t *body, struct ipc_message *message) {
	const json_t *video = json_object_get(body, "video_settings");
	const json_t *audio = json_object_get(body, "audio_settings");
	__typeof__(message->lobby_create) *create = &message->lobby_create;
	create->width = (uint16_t)schema_integer(video, "width", 1920);
	create->height = (uint16_t)schema_integer(video, "height", 1080);
	create->rate_x100 = (uint32_t)schema_integer(video, "refresh_rate", 60) * 100;
	create->channels = (uint8_t)schema_integer(audio, "channel_count", 2);
	create->flags = (uint8_t)((schema_flag(body, "multi_user", true) ? LOBBY_MULTI_USER : 0) |
				  (schema_flag(body, "stop_when_everyone_leaves", true)
								  ? LOBBY_STOP_WHEN_EVERYONE_LEAVES
								  : 0));
	create->flags |= schema_flag(body, "wait", true) ? 0 : LOBBY_AT_ONCE;
	create->deadline_ms = (uint32_t)schema_integer(body, "deadline_ms", 0);
	const json_t *settings = json_object_get(body, "client_settings");
	create->run_uid = (uint32_t)schema_integer(settings, "run_uid", 0);
	create->run_gid = (uint32_t)schema_integer(settings, "run_gid", 0);
	text_copy(create->name, sizeof(create->name), schema_text(body, "name", ""));
	text_copy(create->icon, sizeof(create->icon), schema_text(body, "icon_png_path", ""));
	text_copy(create->owner, sizeof(create->owner), schema_text(body, "profile_id", ""));
	text_copy(create->state_folder, sizeof(create->state_folder),
			schema_text(body, "runner_state_folder", ""));
}

void api_handle_lobby_create(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_LOBBY_CREATE,
		.lobby_create.request = connection_request(connection) };
	const char *fault = read_runner(request->json, &message);
	if (!fault && !api_read_pin(request->json, message.lobby_create.pin,
				      sizeof(message.lobby_create.pin))) {
		fault = "\"pin\" has at most 19 digits.";
	}
	if (fault) {
		api_error(connection, 400, fault);
		return;
	}
	if (!api_may_run(request, &message.lobby_create.how)) {
		return;
	}
	read_form(request->json, &message);
	connection->awaits = AWAITS_LOBBY_CREATED;
	connection_extend(connection, ANSWER_MS);
	gate_post(request->gate, &message);
	explicit_bzero(&message, sizeof(message));
}

/* Nobody will know of it: nothing of it is to stay. */
static void cancel(struct gate *gate, uint32_t request, const char *lobby) {
	struct ipc_message message = { .kind = IPC_LOBBY_CANCEL, .lobby_cancel.request = request };
	text_copy(message.lobby_cancel.lobby, sizeof(message.lobby_cancel.lobby), lobby);
	gate_post(gate, &message);
}

void api_lobby_gone(struct connection *connection) {
	cancel((struct gate *)connection->pool->user, connection_request(connection), "");
	api_handle_gone(connection);
}

void api_lobby_overdue(struct connection *connection) {
	cancel((struct gate *)connection->pool->user, connection_request(connection), "");
	api_handle_overdue(connection);
}

void api_handle_lobby_created(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->lobby_created.request, AWAITS_LOBBY_CREATED);
	if (!connection) {
		/* Also a door before this one may have asked for it. */
		if (message->lobby_created.reason == REASON_NONE) {
			cancel(gate, 0, message->lobby_created.lobby);
		}
		return;
	}
	uint32_t reason = message->lobby_created.reason;
	if (reason != REASON_NONE) {
		api_refuse(connection, reason,
				reason == REASON_START_OVERDUE ? "Lobby setup timed out"
							       : message->lobby_created.detail);
		return;
	}
	api_answer(connection, 200,
			json_pack("{s:b,s:s}", "success", 1, "lobby_id",
					message->lobby_created.lobby));
}

/* ---- join, leave, stop, kick, role ---- */

static uint8_t read_role(const char *text, enum ipc_kind kind) {
	bool alone = kind == IPC_LOBBY_ROLE && strcmp(text, "alone") == 0;
	return strcmp(text, "viewer") == 0 ? ROLE_VIEWER : alone ? ROLE_ALONE : ROLE_PLAYER;
}

/* What is wrong with it is said at once where it is known here. */
static void join_at_once(struct request *request, struct ipc_message *message) {
	struct connection *connection = request->connection;
	struct web *web = &request->gate->web;
	uint64_t session = message->lobby_ask.session;
	if (!json_object_get(web->lobbies, message->lobby_ask.lobby)) {
		api_error(connection, 404, "Invalid lobby ID");
	} else if (!session || !web_session_find(web, session)) {
		api_error(connection, 404, "Lobby or session not found");
	} else if (api_wish_now(request->gate, message)) {
		api_success(connection);
	} else {
		api_refuse(connection, REASON_RESOURCES, NULL);
	}
}

static void ask(struct request *request, enum ipc_kind kind) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = kind };
	__typeof__(message.lobby_ask) *lobby = &message.lobby_ask;
	lobby->request = connection_request(connection);
	text_copy(lobby->lobby, sizeof(lobby->lobby), schema_text(request->json, "lobby_id", ""));
	uint64_t session = schema_id(request->json, "moonlight_session_id");
	lobby->session = session ? session : schema_id(request->json, "session_id");
	lobby->role = read_role(schema_text(request->json, "role", "player"), kind);
	lobby->deadline_ms = (uint32_t)schema_integer(request->json, "deadline_ms", 0);
	if (!api_read_pin(request->json, lobby->pin, sizeof(lobby->pin))) {
		api_error(connection, 403, "Invalid PIN");
		return;
	}
	if (kind == IPC_LOBBY_JOIN && !schema_flag(request->json, "wait", true)) {
		join_at_once(request, &message);
	} else {
		connection->awaits = AWAITS_LOBBY_DONE;
		connection_extend(connection, ANSWER_MS);
		gate_post(request->gate, &message);
	}
	explicit_bzero(&message, sizeof(message));
}

void api_handle_lobby_join(struct request *request) {
	ask(request, IPC_LOBBY_JOIN);
}

void api_handle_lobby_leave(struct request *request) {
	ask(request, IPC_LOBBY_LEAVE);
}

void api_handle_lobby_stop(struct request *request) {
	ask(request, IPC_LOBBY_STOP);
}

void api_handle_lobby_pause(struct request *request) {
	ask(request, IPC_LOBBY_PAUSE);
}

void api_handle_lobby_resume(struct request *request) {
	ask(request, IPC_LOBBY_RESUME);
}

void api_handle_lobby_kick(struct request *request) {
	ask(request, IPC_LOBBY_KICK);
}

void api_handle_lobby_role(struct request *request) {
	ask(request, IPC_LOBBY_ROLE);
}

/* Ours: to a lobby, or without one back to its own desktop. */
void api_handle_switch(struct request *request) {
	bool joins = schema_text(request->json, "lobby_id", "")[0];
	ask(request, joins ? IPC_LOBBY_JOIN : IPC_LOBBY_LEAVE);
}

/* The words that Wolf's clients know. */
static const char *wolf_words(uint32_t reason) {
	static const struct {
		uint32_t reason;
		const char *words;
	} known[] = {
		{ REASON_LOBBY_UNKNOWN, "Invalid lobby ID" },
		{ REASON_LOBBY_PIN, "Invalid PIN" },
		{ REASON_SESSION_UNKNOWN, "Lobby or session not found" },
		{ REASON_LOBBY_TAKEN, "Lobby is full" },
		{ REASON_SWITCH_OVERDUE, "Lobby join timed out" },
	};
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (known[i].reason == reason) {
			return known[i].words;
		}
	}
	return NULL;
}

void api_handle_lobby_done(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->lobby_done.request, AWAITS_LOBBY_DONE);
	uint32_t reason = message->lobby_done.reason;
	if (!connection) {
		api_wish_done(gate, message);
		return;
	}
	if (reason == REASON_NONE) {
		api_success(connection);
		return;
	}
	const char *words = wolf_words(reason);
	api_refuse(connection, reason, words ? words : message->lobby_done.detail);
}
