/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* How the host does, and what a person does to its processes. */

enum {
	RESTART_MS = 5000, /* until the supervisor must have answered */
};

void api_handle_status(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_STATUS_ASK,
		.status_ask.request = connection_request(connection) };
	text_copy(message.status_ask.filter, sizeof(message.status_ask.filter),
			schema_text(request->json, "filter", ""));
	connection->wait = json_array();
	connection->awaits = AWAITS_STATUS;
	connection_extend(connection, GATE_STATUS_MS);
	gate_post(request->gate, &message);
}

void api_handle_status_line(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	json_t *list = connection ? (json_t *)connection->wait : NULL;
	if (!list || json_array_size(list) >= WEB_STATUS_LINES_MAX) {
		return;
	}
	json_t *line = json_loads(message->status_line.line, JSON_REJECT_DUPLICATES, NULL);
	if (line) {
		json_array_append_new(list, line);
	}
}

void api_handle_status_end(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->status_line.request, AWAITS_STATUS);
	if (!connection) {
		return;
	}
	json_t *list = (json_t *)TAKE(connection->wait, NULL);
	api_answer(connection, 200, json_pack("{s:b,s:o}", "success", 1, "status", list));
}

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
