/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/hex.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* The paired clients. */

void api_handle_clients(struct request *request) {
	const struct clients *clients = &request->gate->clients;
	json_t *list = json_array();
	for (size_t i = 0; i < clients->count; i++) {
		const struct client *client = &clients->list[i];
		char fingerprint[65];
		hex_encode(client->fingerprint, 32, fingerprint);
		json_t *row = json_pack("{s:s,s:s,s:s,s:I,s:I}", "client_id", fingerprint,
				"fingerprint", fingerprint, "name", client->name, "created_s",
				(json_int_t)client->created_s, "app",
				(json_int_t)sessions_game(
						&request->gate->sessions, client->fingerprint));
		json_object_update_missing(
				row, json_object_get(request->gate->web.settings, fingerprint));
		json_array_append_new(list, row);
	}
	api_answer(request->connection, 200, json_pack("{s:b,s:o}", "success", 1, "clients", list));
}

void api_tell_client(struct gate *gate, const uint8_t fingerprint[32], bool paired) {
	char id[65];
	hex_encode(fingerprint, 32, id);
	if (gate->role == PEER_WEB && !paired) {
		json_object_del(gate->web.settings, id);
	}
	if (gate->role == PEER_WEB && gate->ready) {
		events_tell(gate, paired ? EVENT_CLIENT_PAIRED : EVENT_CLIENT_UNPAIRED, 0, NULL,
				json_pack("{s:s}", "client_id", id));
	}
}

bool api_wanted_client(struct request *request, uint8_t out[32]) {
	const char *id = schema_text(request->json, "client_id", "");
	if (strlen(id) != 64 || hex_decode(id, 64, out) < 0 ||
			!clients_named(&request->gate->clients, out)) {
		api_error(request->connection, 404, "There is no such client.");
		return false;
	}
	return true;
}

void api_handle_unpair(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_CLIENT_REMOVE,
		.client_ref.request = connection_request(connection) };
	if (!api_wanted_client(request, message.client_ref.client)) {
		return;
	}
	connection->awaits = AWAITS_REMOVED;
	connection_extend(connection, GATE_STORE_MS);
	if (!gate_post_store(request->gate, &message)) {
		api_error(connection, 503, reason_row(REASON_STORE_SILENT)->words);
	}
}

void api_handle_removed(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection =
			gate_waiting(gate, message->client_ref.request, AWAITS_REMOVED);
	if (!connection) {
		return;
	}
	if (message->client_ref.outcome == 0 || message->client_ref.outcome == ENOENT) {
		api_success(connection);
	} else {
		api_error(connection, 500, "The host could not remove the client.");
	}
}
