/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/shm.h"
#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* Desktops: those of sessions, which have their sessions' ids, and those of lobbies; and a
 * picture of one. */

enum {
	SHOT_MS = 5000,           /* when the caller does not say */
	SHOT_SPARE_MS = 1000,     /* until the supervisor's answer is here */
	SHOT_SIZE_MAX = 32 << 20, /* bytes */
};

/* ---- which ---- */

static uint64_t lobby_desktop(const json_t *row) {
	const char *id = schema_text(row, "desktop_id", "");
	return strtoull(id, NULL, 10);
}

static bool is_desktop(struct gate *gate, uint64_t id) {
	json_t *row;
	const char *lobby;
	if (web_session_find(&gate->web, id)) {
		return true;
	}
	json_object_foreach(gate->web.lobbies, lobby, row) {
		if (lobby_desktop(row) == id) {
			return true;
		}
	}
	return false;
}

uint64_t api_wanted_desktop(struct request *request) {
	struct gate *gate = request->gate;
	if (connection_is_desk(request->connection)) {
		return request->connection->desk; /* whatever is asked, it is about that one */
	}
	uint64_t id = schema_id(request->json, "desktop_id");
	const char *lobby = schema_text(request->json, "lobby_id", "");
	if (!id && lobby[0]) {
		id = lobby_desktop(json_object_get(gate->web.lobbies, lobby));
	}
	if (!id) {
		uint64_t session = schema_id(request->json, "session_id");
		const struct web_session *row =
				session ? web_session_find(&gate->web, session) : NULL;
		id = row ? row->desktop : session; /* or a desktop's that no session has */
	}
	if (!id || !is_desktop(gate, id)) {
		api_refuse(request->connection, REASON_DESKTOP_UNKNOWN, NULL);
		return 0;
	}
	return id;
}

/* ---- list ---- */

static json_t *session_desktop_json(const struct web_session *row) {
	char id[API_ID_SIZE], app[16];
	api_id_text(row->session, id);
	text_format(app, sizeof(app), "%d", row->app);
	return json_pack("{s:s,s:s,s:i,s:i,s:i,s:s}", "desktop_id", id, "app_id", app, "width",
			row->width, "height", row->height, "rate_mhz", (int)row->rate_mhz,
			"lobby_id", "");
}

static json_t *lobby_desktop_json(const json_t *row) {
	char app[16];
	text_format(app, sizeof(app), "%d", (int)schema_integer(row, "app_id", 0));
	return json_pack("{s:s,s:s,s:O,s:O,s:i,s:s}", "desktop_id",
			schema_text(row, "desktop_id", ""), "app_id", app, "width",
			json_object_get(row, "video_width"), "height",
			json_object_get(row, "video_height"), "rate_mhz",
			(int)schema_integer(row, "video_refresh_rate", 0) * 1000, "lobby_id",
			schema_text(row, "id", ""));
}

void api_handle_desktops(struct request *request) {
	struct gate *gate = request->gate;
	json_t *list = json_array(), *row;
	const char *lobby;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (gate->web.sessions[i].session) {
			json_array_append_new(list, session_desktop_json(&gate->web.sessions[i]));
		}
	}
	json_object_foreach(gate->web.lobbies, lobby, row) {
		json_array_append_new(list, lobby_desktop_json(row));
	}
	api_answer(request->connection, 200,
			json_pack("{s:b,s:o}", "success", 1, "desktops", list));
}

/* ---- a picture ---- */

void api_handle_shot_ask(struct request *request) {
	struct connection *connection = request->connection;
	uint64_t desktop = api_wanted_desktop(request);
	uint32_t deadline_ms = (uint32_t)schema_integer(request->json, "deadline_ms", SHOT_MS);
	const char *format = schema_text(request->json, "format", "png");
	bool jpeg = strcmp(format, "jpeg") == 0 || strcmp(format, "jpg") == 0;
	if (!desktop) {
		return;
	}
	if (!jpeg && strcmp(format, "png") != 0) {
		api_error(connection, 400, "\"format\" is png or jpeg.");
		return;
	}
	if (connection_is_desk(connection) && !api_desk_may_shoot(connection)) {
		api_refuse(connection, REASON_SHOTS_MANY, NULL);
		return;
	}
	struct ipc_message message = { .kind = IPC_SHOT_ASK,
		.shot_ask = { .request = connection_request(connection),
				.desk = desktop,
				.deadline_ms = deadline_ms,
				.jpeg = jpeg } };
	connection->awaits = AWAITS_SHOT;
	connection_extend(connection, deadline_ms + SHOT_SPARE_MS);
	gate_post(request->gate, &message);
}

/* What is being sent. */
struct carried {
	struct connection_keep keep;
	struct shm shm;
};

static void carried_destroy(struct connection_keep *keep) {
	struct carried *carried = container_of(keep, struct carried, keep);
	shm_finish(&carried->shm);
	free(carried);
}

static struct carried *carried_open(int fd, uint32_t size) {
	struct carried *carried = calloc(1, sizeof(*carried));
	if (!carried || size == 0 || size > SHOT_SIZE_MAX ||
			shm_adopt(fd, size, false, &carried->shm) < 0) {
		fd_close(fd);
		free(carried);
		return NULL;
	}
	carried->keep = (struct connection_keep){ .count = 1, .destroy = carried_destroy };
	return carried;
}

void api_carry(struct connection *connection, int fd, uint32_t size, const char *type) {
	struct http_answer answer = { .status = 200, .content_type = type };
	if (size == 0) {
		fd_close(fd);
		request_answer(connection, &answer, 200, "", 0);
		return;
	}
	struct carried *carried = carried_open(fd, size);
	if (!carried) {
		api_refuse(connection, REASON_RESOURCES, NULL);
		return;
	}
	request_answer_kept(connection, &answer, 200, carried->shm.map, size, &carried->keep);
	connection_keep_drop(&carried->keep);
}

void api_handle_shot(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	struct connection *connection = gate_waiting(gate, message->shot.request, AWAITS_SHOT);
	if (!connection) {
		return; /* gone: the picture with it */
	}
	api_carry(connection, fds_take(fds, 0), message->shot.size,
			message->shot.jpeg ? "image/jpeg" : "image/png");
}

/* API_DONE of a request that waits for a picture; true: it was. */
bool api_shot_done(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection = gate_waiting(gate, message->api_done.request, AWAITS_SHOT);
	if (connection) {
		api_refuse(connection, message->api_done.reason, message->api_done.detail);
	}
	return connection != NULL;
}
