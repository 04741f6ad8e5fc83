/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/client_words.h"
#include "ipc/reason.h"

OWN_DEFINE(json_t *, json_decref)

/* Apps and profiles: the supervisor's list, and what the store keeps of programs' making,
 * held here as the rows that the API shows. */

/* ---- apps ---- */

static json_t *app_json(
		const char *title, const char *id, bool hdr, const char *icon, json_t *runner) {
	return json_pack("{s:s,s:s,s:b,s:s,s:b,s:b,s:o}", "title", title, "id", id, "support_hdr",
			hdr, "icon_png_path", icon, "start_virtual_compositor", 1,
			"start_audio_server", 1, "runner", runner);
}

void api_handle_app_row(struct gate *gate, const struct ipc_message *message) {
	OWN(json_decref)
	json_t *kept = json_loadb(
			message->app.kept, message->app.kept_len, JSON_REJECT_DUPLICATES, NULL);
	json_t *row = app_json(message->app.title, message->app.id, message->app.hdr,
			message->app.icon,
			api_runner_json(message->app.id, message->app.argv, message->app.argv_len,
					&message->app.how));
	if (row && json_is_object(kept)) {
		json_object_update_missing(row, kept);
	}
	json_object_set_new(row, "profile", json_string(message->app.profile));
	char number[16];
	text_format(number, sizeof(number), "%d", message->app.app);
	json_object_set_new(row, "app_id", json_string(number));
	json_object_set_new(gate->web.apps, number, row);
}

void api_handle_app_gone(struct gate *gate, const struct ipc_message *message) {
	char number[16];
	text_format(number, sizeof(number), "%d", message->app_ref.app);
	json_object_del(gate->web.apps, number);
}

bool api_knows_app(void *user, int32_t app) {
	const struct gate *gate = user;
	char number[16];
	text_format(number, sizeof(number), "%d", app);
	return json_object_get(gate->web.apps, number) != NULL;
}

/* What of a row an answer shows. */
static json_t *without_profile(json_t *row) {
	json_t *copy = json_copy(row);
	json_object_del(copy, "profile");
	return copy;
}

static json_t *apps_of(const struct gate *gate, const char *profile) {
	json_t *list = json_array(), *row;
	const char *number;
	json_object_foreach(gate->web.apps, number, row) {
		if (strcmp(schema_text(row, "profile", ""), profile) == 0) {
			json_array_append_new(list, without_profile(row));
		}
	}
	return list;
}

void api_handle_apps(struct request *request) {
	const struct gate *gate = request->gate;
	json_t *list = json_array();
	for (size_t i = 0; i < gate->apps.count; i++) {
		const struct app *app = &gate->apps.list[i];
		char number[16];
		text_format(number, sizeof(number), "%d", app->id);
		json_t *made = json_object_get(gate->web.apps, number);
		json_t *row = made ? without_profile(made)
				   : app_json(app->title, number, app->flags & APP_HDR, "",
						     json_pack("{s:s,s:s}", "type", "process",
								     "run_cmd", ""));
		json_object_set_new(row, "app_id", json_string(number));
		json_object_set_new(row, "installed", json_boolean(app->flags & APP_INSTALLED));
		if (app->why_not[0]) {
			json_object_set_new(row, "why_not", json_string(app->why_not));
		}
		json_array_append_new(list, row);
	}
	api_answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "apps", list));
}

static void ask_store(struct request *request, const struct ipc_message *message) {
	struct connection *connection = request->connection;
	connection->awaits = AWAITS_STATE;
	connection_extend(connection, GATE_STORE_MS);
	if (!gate_post_store(request->gate, message)) {
		api_refuse(connection, REASON_STORE_SILENT, NULL);
	}
}

/* Fields of pipelines, which go nowhere but back to who asks. */
static bool keep_foreign(const json_t *body, struct ipc_message *message) {
	static const char *const names[] = { "h264_gst_pipeline", "hevc_gst_pipeline",
		"av1_gst_pipeline", "opus_gst_pipeline", "render_node",
		"video_producer_buffer_caps", "video_producer_source", "audio_producer_source" };
	OWN(json_decref) json_t *kept = json_object();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *value = json_object_get(body, names[i]);
		if (json_is_string(value)) {
			json_object_set(kept, names[i], value);
		}
	}
	size_t len = json_dumpb(kept, message->app.kept, sizeof(message->app.kept), JSON_COMPACT);
	message->app.kept_len = (uint16_t)len;
	return len <= sizeof(message->app.kept);
}

void api_handle_app_add(struct request *request) {
	struct ipc_message message = { .kind = IPC_APP_PUT,
		.app.request = connection_request(request->connection) };
	const json_t *body = request->json;
	message.app.hdr = schema_flag(body, "support_hdr", false);
	text_copy(message.app.id, sizeof(message.app.id), schema_text(body, "id", ""));
	text_copy(message.app.title, sizeof(message.app.title), schema_text(body, "title", ""));
	text_copy(message.app.icon, sizeof(message.app.icon),
			schema_text(body, "icon_png_path", ""));
	text_copy(message.app.profile, sizeof(message.app.profile),
			schema_text(body, "profile_id", ""));
	const char *fault = api_read_runner(json_object_get(body, "runner"), message.app.argv,
			sizeof(message.app.argv), &message.app.argv_len, &message.app.how);
	if (!fault && !keep_foreign(body, &message)) {
		fault = "The app's other fields say more than can be kept.";
	}
	if (fault) {
		api_error(request->connection, 400, fault);
		return;
	}
	ask_store(request, &message);
}

void api_handle_app_delete(struct request *request) {
	struct ipc_message message = { .kind = IPC_APP_REMOVE,
		.app_ref.request = connection_request(request->connection) };
	text_copy(message.app_ref.id, sizeof(message.app_ref.id),
			schema_text(request->json, "id", ""));
	ask_store(request, &message);
}

void api_handle_state_done(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->state_done.request, AWAITS_STATE);
	if (!connection) {
		api_handle_launcher_proven(gate, message);
		return;
	}
	if (message->state_done.reason != REASON_NONE) {
		json_decref((json_t *)TAKE(connection->wait, NULL));
		api_refuse(connection, message->state_done.reason, message->state_done.detail);
		return;
	}
	json_t *answer = (json_t *)TAKE(connection->wait, NULL);
	if (answer) {
		api_answer(connection, 200, answer);
	} else {
		api_success(connection);
	}
}

/* Wolf's clients name an app's picture by what the app or a lobby has said of it. Files and
 * addresses are not opened: the picture is the one that this host draws. */
static uint64_t app_of_icon(const struct web *web, const char *path) {
	json_t *const lists[] = { web->apps, web->lobbies };
	const char *id;
	json_t *row;
	for (size_t i = 0; path[0] && i < ARRAY_LEN(lists); i++) {
		json_object_foreach(lists[i], id, row) {
			if (strcmp(schema_text(row, "icon_png_path", ""), path) == 0) {
				return lists[i] == web->apps
						       ? schema_id(row, "app_id")
						       : (uint64_t)schema_integer(row, "app_id", 0);
			}
		}
	}
	return 0;
}

/* The picture that Moonlight shows; icons are never fetched by the door. */
void api_handle_icon(struct request *request) {
	int64_t id = (int64_t)schema_id(request->json, "app_id");
	id = id ? id
		: (int64_t)app_of_icon(
				  &request->gate->web, schema_text(request->json, "icon_path", ""));
	struct art *art = id > 0 && id <= INT32_MAX ? apps_art(&request->gate->apps, (int32_t)id)
						    : NULL;
	if (!art) {
		api_error(request->connection, 404, "Icon not found");
		return;
	}
	struct http_answer answer = { .status = 200, .content_type = "image/png" };
	request_answer_kept(
			request->connection, &answer, 200, art->shm.map, art->shm.size, &art->keep);
}

/* ---- profiles ---- */

void api_handle_profile_row(struct gate *gate, const struct ipc_message *message) {
	json_object_set_new(gate->web.profiles, message->profile.id,
			json_pack("{s:s,s:s,s:s,s:b}", "id", message->profile.id, "name",
					message->profile.name, "icon_png_path",
					message->profile.icon, "pin_required",
					message->profile.has_pin));
}

void api_handle_profile_gone(struct gate *gate, const struct ipc_message *message) {
	json_object_del(gate->web.profiles, message->profile_ref.id);
}

void api_handle_profiles(struct request *request) {
	json_t *list = json_array(), *row;
	const char *id;
	json_object_foreach(request->gate->web.profiles, id, row) {
		json_t *copy = json_copy(row);
		json_object_set_new(copy, "apps", apps_of(request->gate, id));
		json_array_append_new(list, copy);
	}
	api_answer(request->connection, 200,
			json_pack("{s:b,s:o}", "success", 1, "profiles", list));
}

void api_handle_profile_add(struct request *request) {
	struct ipc_message message = { .kind = IPC_PROFILE_PUT,
		.profile.request = connection_request(request->connection) };
	const json_t *body = request->json, *pin = json_object_get(body, "pin");
	if (json_array_size(json_object_get(body, "apps")) > 0) {
		api_error(request->connection, 501,
				"A profile's apps are added one by one: /api/v1/apps/add with its "
				"\"profile_id\"; \"apps\" must be empty.");
		return;
	}
	text_copy(message.profile.id, sizeof(message.profile.id), schema_text(body, "id", ""));
	text_copy(message.profile.name, sizeof(message.profile.name),
			schema_text(body, "name", ""));
	text_copy(message.profile.icon, sizeof(message.profile.icon),
			schema_text(body, "icon_png_path", ""));
	size_t digits = json_array_size(pin);
	for (size_t i = 0; i < digits && i + 1 < sizeof(message.profile.pin); i++) {
		message.profile.pin[i] = (char)('0' + json_integer_value(json_array_get(pin, i)));
	}
	message.profile.has_pin = digits > 0;
	ask_store(request, &message);
	explicit_bzero(&message, sizeof(message));
}

void api_handle_profile_remove(struct request *request) {
	struct ipc_message message = { .kind = IPC_PROFILE_REMOVE,
		.profile_ref.request = connection_request(request->connection) };
	text_copy(message.profile_ref.id, sizeof(message.profile_ref.id),
			schema_text(request->json, "id", ""));
	ask_store(request, &message);
}

/* ---- clients' settings ---- */

static json_t *settings_json(const struct ipc_message *message) {
	const __typeof__(message->client_settings) *one = &message->client_settings;
	json_t *controllers = json_array();
	for (unsigned i = 0; i < one->controllers_count; i++) {
		json_array_append_new(
				controllers, json_string(client_pad_word(one->controllers[i])));
	}
	return json_pack("{s:I,s:I,s:o,s:f,s:f,s:f,s:s}", "run_uid", (json_int_t)one->run_uid,
			"run_gid", (json_int_t)one->run_gid, "controllers_override", controllers,
			"mouse_acceleration", one->mouse_milli / 1000.0, "v_scroll_acceleration",
			one->scroll_milli / 1000.0, "h_scroll_acceleration",
			one->scroll_side_milli / 1000.0, "motion_controller_override",
			client_pad_word(one->motion));
}

void api_handle_settings_row(struct gate *gate, const struct ipc_message *message) {
	char client[65];
	hex_encode(message->client_settings.client, 32, client);
	json_t *row = json_pack("{s:s,s:o}", "app_state_folder", message->client_settings.folder,
			"settings", settings_json(message));
	api_permits_show(row, message);
	json_object_set_new(gate->web.settings, client, row);
}

static uint32_t milli(const json_t *settings, const char *name) {
	double value = json_number_value(json_object_get(settings, name));
	return value <= 0 ? 0 : value > 1000 ? 1000000 : (uint32_t)(value * 1000 + 0.5);
}

static bool pad_named(const json_t *value, uint8_t *out) {
	const char *name = json_string_value(value);
	return name && client_pad(name, out) == 0;
}

static bool read_settings(const json_t *settings, struct ipc_message *message) {
	static const struct {
		const char *name;
		uint32_t field;
		size_t at;
	} scales[] = {
#define SCALE(name, field, member) \
	{ name, field, offsetof(struct ipc_message, client_settings.member) }
		SCALE("mouse_acceleration", SETTING_MOUSE, mouse_milli),
		SCALE("v_scroll_acceleration", SETTING_SCROLL, scroll_milli),
		SCALE("h_scroll_acceleration", SETTING_SCROLL_SIDE, scroll_side_milli),
#undef SCALE
	};
	__typeof__(message->client_settings) *set = &message->client_settings;
	for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
		if (json_is_number(json_object_get(settings, scales[i].name))) {
			uint32_t value = milli(settings, scales[i].name);
			memcpy((uint8_t *)message + scales[i].at, &value, sizeof(value));
			set->fields |= scales[i].field;
		}
	}
	set->run_uid = (uint32_t)schema_integer(settings, "run_uid", 0);
	set->run_gid = (uint32_t)schema_integer(settings, "run_gid", 0);
	set->fields |= json_object_get(settings, "run_uid") ? SETTING_RUN_UID : 0;
	set->fields |= json_object_get(settings, "run_gid") ? SETTING_RUN_GID : 0;
	const json_t *list = json_object_get(settings, "controllers_override");
	const json_t *motion = json_object_get(settings, "motion_controller_override");
	set->fields |= list ? SETTING_CONTROLLERS : 0;
	set->fields |= motion ? SETTING_MOTION : 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!pad_named(json_array_get(list, i),
				    &set->controllers[set->controllers_count++])) {
			return false;
		}
	}
	return !motion || pad_named(motion, &set->motion);
}

void api_handle_client_settings(struct request *request) {
	struct ipc_message message = { .kind = IPC_CLIENT_SET,
		.client_settings.request = connection_request(request->connection) };
	if (!api_wanted_client(request, message.client_settings.client)) {
		return;
	}
	const char *folder = schema_text(request->json, "app_state_folder", NULL);
	if (folder) {
		message.client_settings.fields |= SETTING_FOLDER;
		text_copy(message.client_settings.folder, sizeof(message.client_settings.folder),
				folder);
	}
	const char *name = schema_text(request->json, "name", NULL);
	if (name) {
		message.client_settings.fields |= SETTING_NAME;
		text_copy(message.client_settings.name, sizeof(message.client_settings.name), name);
	}
	if (!read_settings(json_object_get(request->json, "settings"), &message)) {
		api_error(request->connection, 400,
				"A gamepad is one of AUTO, XBOX, PS, NINTENDO.");
		return;
	}
	const char *fault = api_permits_read(request->json, &message);
	if (fault) {
		api_error(request->connection, 400, fault);
		return;
	}
	ask_store(request, &message);
}
