/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <jansson.h>

#include "gate/gate.h"
#include "ipc/reason.h"

enum {
	RELOAD_MS = 5000, /* until the supervisor must have answered */
};

void api_handle_reload(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_CONFIG_RELOAD,
		.config_reload.request = connection_request(connection) };
	connection->awaits = AWAITS_RELOADED;
	connection_extend(connection, RELOAD_MS);
	gate_post(request->gate, &message);
}

void api_handle_reloaded(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->config_reloaded.request, AWAITS_RELOADED);
	if (!connection) {
		return;
	}
	if (message->config_reloaded.reason != REASON_NONE) {
		api_refuse(connection, message->config_reloaded.reason,
				message->config_reloaded.detail);
		return;
	}
	api_answer(connection, 200,
			json_pack("{s:b,s:s,s:s}", "success", 1, "applied",
					message->config_reloaded.applied, "restart",
					message->config_reloaded.restart));
}
