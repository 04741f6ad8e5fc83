/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/shm.h"
#include "base/text.h"
#include "gate/gate.h"
#include "gate/health.h"
#include "ipc/reason.h"

/* How the host does, and what a person does to its processes. Whatever the door does not
 * have in its memory comes from the supervisor's status, row by row. */

enum {
	RESTART_MS = 5000, /* until the supervisor must have answered */
};

/* What is made of the rows, and which are wanted. */
struct view {
	const char *path;
	const char *kinds[4];
	json_t *(*make)(struct gate *gate, json_t *rows);
};

static void begin(struct request *request, const char *filter, json_t *wait) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_STATUS_ASK,
		.status_ask.request = connection_request(connection) };
	text_copy(message.status_ask.filter, sizeof(message.status_ask.filter), filter);
	connection->wait = wait;
	connection->awaits = AWAITS_STATUS;
	connection_extend(connection, GATE_STATUS_MS);
	gate_post(request->gate, &message);
}

void api_handle_status(struct request *request) {
	const char *filter = schema_text(request->json, "filter", "");
	json_t *kinds = json_array();
	if (filter[0]) {
		json_array_append_new(kinds, json_string(filter));
	}
	begin(request, filter, json_pack("{s:[],s:o}", "rows", "kinds", kinds));
}

static bool is_wanted(const json_t *kinds, const json_t *row) {
	const char *what = schema_text(row, "what", "");
	for (size_t i = 0; i < json_array_size(kinds); i++) {
		if (strcmp(json_string_value(json_array_get(kinds, i)), what) == 0) {
			return true;
		}
	}
	return json_array_size(kinds) == 0;
}

static void add_row(json_t *wait, const char *text, size_t len) {
	json_t *rows = json_object_get(wait, "rows");
	if (!rows || json_array_size(rows) >= WEB_STATUS_LINES_MAX) {
		return;
	}
	json_t *row = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (row && is_wanted(json_object_get(wait, "kinds"), row)) {
		json_array_append(rows, row);
	}
	json_decref(row);
}

void api_handle_status_line(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	if (connection) {
		add_row((json_t *)connection->wait, message->status_line.line,
				strlen(message->status_line.line));
	}
}

void api_handle_status_rows(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	struct connection *connection =
			gate_waiting(gate, message->status_rows.request, AWAITS_STATUS);
	size_t size = message->status_rows.size;
	struct shm shm;
	int fd = connection && size ? fds_take(fds, 0) : -1;
	if (fd < 0) {
		return; /* nobody waits for it any more */
	}
	if (shm_adopt(fd, size, false, &shm) < 0) {
		fd_close(fd);
		return; /* who waits hears from its deadline */
	}
	const char *at = (const char *)shm.map, *end = at + size;
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		stop = stop ? stop : end;
		add_row((json_t *)connection->wait, at, (size_t)(stop - at));
		at = stop + 1;
	}
	shm_finish(&shm);
}

/* ---- what is made of the rows ---- */

static json_t *named(const char *name, json_t *rows) {
	return json_pack("{s:b,s:O}", "success", 1, name, rows);
}

static json_t *make_viewers(struct gate *gate, json_t *rows) {
	(void)gate;
	return named("viewers", rows);
}

static json_t *make_counters(struct gate *gate, json_t *rows) {
	(void)gate;
	return named("processes", rows);
}

static json_t *make_evidence(struct gate *gate, json_t *rows) {
	(void)gate;
	return named("evidence", rows);
}

static json_t *make_admission(struct gate *gate, json_t *rows) {
	(void)gate;
	return named("admission", rows);
}

/* One of our processes, as Wolf tells of its threads. */
static json_t *thread_json(const json_t *row) {
	json_int_t uptime = json_integer_value(json_object_get(row, "uptime_s"));
	const char *operation = schema_text(row, "operation", "");
	bool busy = operation[0] && strcmp(operation, "idle") != 0;
	return json_pack("{s:I,s:s,s:s,s:i,s:I,s:I,s:b,s:s,s:i,s:b,s:s}", "tid",
			json_integer_value(json_object_get(row, "pid")), "name",
			schema_text(row, "kind", ""), "details", schema_text(row, "name", ""),
			"seconds_since_heartbeat", 0, "seconds_alive", uptime, "heartbeat_count",
			json_integer_value(json_object_get(row, "beats")), "is_stuck", 0,
			"current_request_path", "", "request_duration_seconds", 0,
			"has_active_request", busy, "stack_trace", operation);
}

/* A process that hangs is replaced within two seconds: what is stuck is a corpse. */
static json_t *make_health(struct gate *gate, json_t *rows) {
	json_t *threads = json_array();
	json_int_t uptime = 0, stuck = 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *what = schema_text(row, "what", "");
		if (strcmp(what, "process") == 0) {
			json_array_append_new(threads, thread_json(row));
		} else if (strcmp(what, "corpse") == 0) {
			stuck++;
		} else {
			uptime = json_integer_value(json_object_get(row, "uptime_s"));
		}
	}
	bool ready = health_is_ready(gate);
	size_t total = json_array_size(threads);
	return json_pack("{s:b,s:I,s:o,s:I,s:I,s:b,s:s}", "success", 1, "process_uptime_seconds",
			uptime, "threads", threads, "stuck_thread_count", stuck,
			"total_thread_count", (json_int_t)total, "can_create_new_pipelines", ready,
			"overall_status",
			!ready  ? "critical"
			: stuck ? "degraded"
				: "healthy");
}

static const struct view views[] = {
	{ "/api/v1/system/health", { "host", "process", "corpse" }, make_health },
	{ "/api/v1/wolf/health", { "host", "process", "corpse" }, make_health },
	{ "/api/v1/system/memory", { "memory" }, api_make_memory },
	{ "/api/v2/viewers", { "session" }, make_viewers },
	{ "/api/v2/counters", { "process" }, make_counters },
	{ "/api/v2/evidence", { "evidence", "incident" }, make_evidence },
	{ "/api/v2/admission", { "admission", "cost" }, make_admission },
	{ "/api/v2/desktop", { "desktop", "viewer" }, api_desk_make },
};

static const struct view *view_at(const char *path) {
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		if (strcmp(views[i].path, path) == 0) {
			return &views[i];
		}
	}
	return NULL;
}

void api_handle_view(struct request *request) {
	const struct view *view = view_at(request->connection->path);
	json_t *kinds = json_array();
	for (size_t i = 0; view && i < ARRAY_LEN(view->kinds) && view->kinds[i]; i++) {
		json_array_append_new(kinds, json_string(view->kinds[i]));
	}
	char filter[32] = "";
	if (connection_is_desk(request->connection)) {
		api_desk_filter(request->connection, filter, sizeof(filter));
	}
	begin(request, filter, json_pack("{s:[],s:o}", "rows", "kinds", kinds));
}

void api_handle_status_end(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	if (!connection) {
		return;
	}
	const struct view *view = view_at(connection->path);
	json_t *wait = (json_t *)TAKE(connection->wait, NULL);
	json_t *rows = json_object_get(wait, "rows");
	json_t *answer = view ? view->make(gate, rows) : named("status", rows);
	if (view && json_array_size(rows) == 0 && view->make == api_make_memory) {
		json_decref(answer);
		api_error(connection, 503, "The host could not measure its memory in time.");
	} else if (answer) {
		api_answer(connection, 200, answer);
	} else {
		api_refuse(connection, REASON_DESKTOP_UNKNOWN, NULL);
	}
	json_decref(wait);
}

/* ---- what this host does not do ---- */

void api_handle_not_built(struct request *request) {
	static const struct {
		const char *path, *words;
	} rows[] = {
		{ "/api/v1/lobbies/set-pipewire-node-id",
				"Desktops are Wayland compositors of Perigee's own: there is no "
				"PipeWire node to take pictures from." },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].path, request->connection->path) == 0) {
			api_error(request->connection, 501, rows[i].words);
			return;
		}
	}
	api_error(request->connection, 501, "This host does not do that.");
}

/* ---- by hand ---- */

void api_handle_restart(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_RESTART,
		.restart.request = connection_request(connection) };
	text_copy(message.restart.kind, sizeof(message.restart.kind),
			schema_text(request->json, "kind", ""));
	text_copy(message.restart.id, sizeof(message.restart.id),
			schema_text(request->json, "id", ""));
	connection->awaits = AWAITS_RESTARTED;
	connection_extend(connection, RESTART_MS);
	gate_post(request->gate, &message);
}

void api_handle_restarted(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->restarted.request, AWAITS_RESTARTED);
	if (!connection) {
		return;
	}
	if (message->restarted.reason == REASON_NONE) {
		api_success(connection);
	} else {
		api_error(connection, 404, message->restarted.detail);
	}
}

void api_handle_openapi(struct request *request) {
	api_answer(request->connection, 200, openapi_document());
}
