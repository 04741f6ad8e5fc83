/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>

#include <jansson.h>

#include "gate/gate.h"

/* One more program on a session's own desktop. */

enum {
	ANSWER_MS = 10000,
	CONTAINER_MS = 60000, /* its image may have to be fetched */
};

/* What is none of a sandbox's or container's may as much as the app beside it. */
static const char *read_runner(const json_t *runner, struct ipc_message *message) {
	__typeof__(message->runner_add) *add = &message->runner_add;
	const char *fault = api_read_runner(
			runner, add->argv, sizeof(add->argv), &add->argv_len, &add->how);
	if (strcmp(add->how.runner, "process") == 0) {
		add->how.runner[0] = '\0';
	}
	return fault;
}

void api_handle_runner_start(struct request *request) {
	struct connection *connection = request->connection;
	const json_t *runner = json_object_get(request->json, "runner");
	const struct web_session *row = api_wanted_session(request, "session_id");
	if (!row) {
		return;
	}
	struct ipc_message message = { .kind = IPC_RUNNER_ADD,
		.runner_add = { .request = connection_request(connection),
				.session = row->session,
				.ends_session = schema_flag(
						request->json, "stop_stream_when_over", false) } };
	const char *fault = read_runner(runner, &message);
	if (fault) {
		api_error(connection, 400, fault);
		return;
	}
	if (!api_may_run(request, &message.runner_add.how)) {
		return;
	}
	bool container = strcmp(message.runner_add.how.runner, "container") == 0;
	connection->awaits = AWAITS_DONE;
	connection_extend(connection, container ? CONTAINER_MS : ANSWER_MS);
	gate_post(request->gate, &message);
}
