/* SPDX-License-Identifier: MIT */
#include "gate/web_obey.h"

#include <jansson.h>

#include "base/text.h"
#include "gate/api.h"
#include "gate/gate.h"

OWN_DEFINE(json_t *, json_decref)

enum {
	OBEY_MS = 10000,
};

void web_handle_obey(struct request *request) {
	struct connection *connection = request->connection;
	OWN(json_decref)
	json_t *body = json_loadb(
			request->body.at, request->body.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *worker = json_object_get(body, "worker");
	const char *order = json_string_value(json_object_get(body, "order"));
	const char *argument = json_string_value(json_object_get(body, "argument"));
	struct ipc_message message = { .kind = IPC_OBEY,
		.obey = { .request = connection_request(connection),
				.worker = (uint32_t)json_integer_value(worker) } };
	if (!json_is_integer(worker) || !order ||
			!text_copy(message.obey.order, sizeof(message.obey.order), order) ||
			!text_copy(message.obey.argument, sizeof(message.obey.argument),
					argument ? argument : "")) {
		api_answer(connection, 400, json_pack("{s:b}", "success", 0));
		return;
	}
	connection->awaits = AWAITS_OBEYED;
	connection_extend(connection, OBEY_MS);
	gate_post(request->gate, &message);
}

void web_handle_obeyed(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection = gate_waiting(gate, message->obeyed.request, AWAITS_OBEYED);
	if (connection) {
		api_answer(connection, 200,
				json_pack("{s:b,s:I,s:s}", "success", 1, "outcome",
						(json_int_t)message->obeyed.outcome, "detail",
						message->obeyed.detail));
	}
}
