/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"

/* What the host's processes take, as the kernel counts it (PSS): measured when it is asked
 * for. A desktop's is that of its processes and of the first process of its app. */

enum {
	MEASURE_MS = 5000,
};

void api_handle_memory(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_MEMORY_ASK,
		.memory_ask.request = connection_request(connection) };
	connection->wait = json_pack("{s:[],s:[]}", "rows", "kinds");
	connection->awaits = AWAITS_STATUS;
	connection_extend(connection, MEASURE_MS);
	gate_post(request->gate, &message);
}

static uint64_t desk_of(const json_t *row) {
	return strtoull(schema_text(row, "session", "0"), NULL, 16);
}

static bool is_kind(const json_t *row, const char *kind) {
	return strcmp(schema_text(row, "kind", ""), kind) == 0;
}

/* A viewer's stream is its own; the rest of a session is its desktop's. */
static json_int_t sum(const json_t *rows, uint64_t desk, bool streams) {
	json_int_t bytes = 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		if (desk_of(row) == desk && is_kind(row, "stream") == streams) {
			bytes += schema_integer(row, "pss_bytes", 0);
		}
	}
	return bytes;
}

static json_int_t sum_all(const json_t *rows, bool apps) {
	json_int_t bytes = 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		bytes += apps || !is_kind(row, "app") ? schema_integer(row, "pss_bytes", 0) : 0;
	}
	return bytes;
}

/* Where it is; NULL: at its own desktop. */
static const char *lobby_of(const struct gate *gate, const struct web_session *row) {
	json_t *lobby;
	const char *id;
	json_object_foreach(gate->web.lobbies, id, lobby) {
		if (schema_id(lobby, "desktop_id") == row->desktop) {
			return id;
		}
	}
	return NULL;
}

static json_t *client_json(
		const struct gate *gate, const struct web_session *row, const json_t *rows) {
	char id[API_ID_SIZE], address[ADDRESS_TEXT_MAX], app[16], size[40];
	api_id_text(row->session, id);
	address_ip_text(&row->address, address);
	text_format(app, sizeof(app), "%d", row->app);
	text_format(size, sizeof(size), "%ux%u@%u", row->width, row->height, row->rate_mhz / 1000);
	return json_pack("{s:s,s:s,s:s,s:s,s:s*,s:I}", "session_id", id, "client_ip", address,
			"resolution", size, "app_id", app, "lobby_id", lobby_of(gate, row),
			"memory_bytes", sum(rows, row->session, true));
}

static json_t *app_json(
		const struct gate *gate, const struct web_session *row, const json_t *rows) {
	char app[16], size[40];
	const struct app *known = apps_find(&gate->apps, row->app);
	text_format(app, sizeof(app), "%d", row->app);
	text_format(size, sizeof(size), "%ux%u@%u", row->width, row->height, row->rate_mhz / 1000);
	return json_pack("{s:s,s:s,s:s,s:i,s:I}", "app_id", app, "app_name",
			known ? known->title : "", "resolution", size, "client_count",
			row->state == SESSION_WATCHED && row->desktop == row->session,
			"memory_bytes", sum(rows, row->session, false));
}

static json_t *lobby_json(const json_t *row, const json_t *rows) {
	char size[60];
	text_format(size, sizeof(size), "%dx%d@%d", (int)schema_integer(row, "video_width", 0),
			(int)schema_integer(row, "video_height", 0),
			(int)schema_integer(row, "video_refresh_rate", 0));
	size_t members = json_array_size(json_object_get(row, "connected_sessions"));
	return json_pack("{s:s,s:s,s:s,s:I,s:I}", "lobby_id", schema_text(row, "id", ""),
			"lobby_name", schema_text(row, "name", ""), "resolution", size,
			"client_count", (json_int_t)members, "memory_bytes",
			sum(rows, schema_id(row, "desktop_id"), false));
}

json_t *api_make_memory(struct gate *gate, json_t *rows) {
	json_t *clients = json_array(), *apps = json_array(), *lobbies = json_array(), *row;
	const char *id;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct web_session *session = &gate->web.sessions[i];
		if (session->session) {
			json_array_append_new(clients, client_json(gate, session, rows));
			json_array_append_new(apps, app_json(gate, session, rows));
		}
	}
	json_object_foreach(gate->web.lobbies, id, row) {
		json_array_append_new(lobbies, lobby_json(row, rows));
	}
	return json_pack("{s:b,s:I,s:i,s:I,s:o,s:o,s:o}", "success", 1, "process_rss_bytes",
			sum_all(rows, false), "gstreamer_buffer_bytes", 0, "total_memory_bytes",
			sum_all(rows, true), "apps", apps, "lobbies", lobbies, "clients", clients);
}
