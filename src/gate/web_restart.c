/* SPDX-License-Identifier: MIT */
#include "gate/web_restart.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/body.h"
#include "gate/gate.h"

enum {
	RESTART_MS = 5000, /* until the supervisor must have answered */
};

static void answer(struct connection *connection, int status, const char *fault) {
	json_t *object = fault ? json_pack("{s:b,s:s}", "success", 0, "error", fault)
			       : json_pack("{s:b}", "success", 1);
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	struct http_answer reply = { .status = status, .content_type = "application/json" };
	request_answer(connection, &reply, status, text ? text : "", text ? strlen(text) : 0);
	free(text);
}

void web_handle_restart(struct request *request) {
	struct connection *connection = request->connection;
	struct body_restart body;
	const char *fault;
	if (body_restart_parse(request->body, &body, &fault) < 0) {
		answer(connection, 400, fault);
		return;
	}
	struct ipc_message message = { .kind = IPC_RESTART,
		.restart.request = connection_request(connection) };
	text_copy(message.restart.kind, sizeof(message.restart.kind), body.kind);
	text_copy(message.restart.id, sizeof(message.restart.id), body.id);
	connection->awaits = AWAITS_RESTARTED;
	connection_extend(connection, RESTART_MS);
	gate_post(request->gate, &message);
}

void web_handle_restarted(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->restarted.request, AWAITS_RESTARTED);
	if (connection) {
		bool done = message->restarted.reason == REASON_NONE;
		answer(connection, done ? 200 : 404, done ? NULL : message->restarted.detail);
	}
}

void web_handle_restart_overdue(struct connection *connection) {
	answer(connection, 503, "The host did not answer in time.");
}
