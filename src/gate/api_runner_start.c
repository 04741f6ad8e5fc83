/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/gate.h"

/* One more program on a session's own desktop. */

enum {
	ANSWER_MS = 10000,
};

void api_handle_runner_start(struct request *request) {
	struct connection *connection = request->connection;
	const json_t *runner = json_object_get(request->json, "runner");
	const struct web_session *row = api_wanted_session(request, "session_id");
	if (!row) {
		return;
	}
	if (strcasecmp(schema_text(runner, "type", "process"), "docker") == 0) {
		api_error(connection, 501,
				"A session has one container, its app's: a second one would have "
				"no way to its desktop's sockets. Use a runner of the type "
				"process, or an app of its own.");
		return;
	}
	struct ipc_message message = { .kind = IPC_RUNNER_ADD,
		.runner_add = { .request = connection_request(connection),
				.session = row->session,
				.ends_session = schema_flag(
						request->json, "stop_stream_when_over", false) } };
	const char *command = schema_text(runner, "run_cmd", "");
	if (!command[0] || !api_put_command(command, message.runner_add.argv,
					   sizeof(message.runner_add.argv),
					   &message.runner_add.argv_len)) {
		api_error(connection, 400,
				"\"runner.run_cmd\" must be a command of at most 2000 bytes.");
		return;
	}
	connection->awaits = AWAITS_DONE;
	connection_extend(connection, ANSWER_MS);
	gate_post(request->gate, &message);
}
