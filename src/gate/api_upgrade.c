/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* Another version is to take over: answered once the new version has said whether it can.
 * What becomes of it, `upgrade` of the status tells; this door is replaced meanwhile. */

enum {
	ANSWER_MS = 15000, /* the supervisor gives the new version 10 s */
};

void api_handle_upgrade(struct request *request) {
	struct connection *connection = request->connection;
	struct ipc_message message = { .kind = IPC_UPGRADE,
		.upgrade = { .request = connection_request(connection),
				.only_check = schema_flag(request->json, "check", false),
				.limit_ms = 1000u * (uint32_t)schema_integer(request->json,
								    "deadline_s", 0) } };
	text_copy(message.upgrade.from, sizeof(message.upgrade.from),
			schema_text(request->json, "from", ""));
	connection->awaits = AWAITS_UPGRADE;
	connection_extend(connection, ANSWER_MS);
	gate_post(request->gate, &message);
}

void api_handle_upgrade_answer(struct gate *gate, const struct ipc_message *message) {
	const typeof(message->upgrade_answer) *said = &message->upgrade_answer;
	struct connection *connection = gate_waiting(gate, said->request, AWAITS_UPGRADE);
	if (!connection) {
		return;
	}
	if (said->reason != REASON_NONE) {
		api_error(connection, 409,
				said->detail[0] ? said->detail : reason_row(said->reason)->words);
		return;
	}
	api_answer(connection, 200,
			json_pack("{s:b,s:s,s:s,s:s,s:I,s:I,s:I}", "success", 1, "old_version",
					said->old_version, "new_version", said->new_version,
					"folders", said->folders, "number",
					(json_int_t)said->number, "replaced",
					(json_int_t)said->replaced, "sessions",
					(json_int_t)said->sessions));
}
