/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/shm.h"
#include "gate/gate.h"
#include "ipc/reason.h"

/* The text on a desktop's clipboard. The desktop gives and takes it in memory that is passed
 * on; here it is only carried. */

enum {
	CLIP_MS = 4000, /* the desktop's own limit for an app is shorter */
};

static void ask(struct request *request, struct ipc_message *message, const int *fd) {
	struct connection *connection = request->connection;
	uint64_t *desk = malloc(sizeof(*desk));
	if (!desk) {
		api_refuse(connection, REASON_RESOURCES, NULL);
		return;
	}
	*desk = message->clip.desk;
	message->clip.request = connection_request(connection);
	message->clip.session =
			connection_is_desk(connection) ? 0 : schema_id(request->json, "session_id");
	connection->wait = desk;
	connection->awaits = AWAITS_CLIP;
	connection_extend(connection, CLIP_MS);
	worker_post(&request->gate->worker, message, fd, fd != NULL);
}

void api_handle_clip_get(struct request *request) {
	struct ipc_message message = { .kind = IPC_CLIP_GET,
		.clip.desk = api_wanted_desktop(request) };
	if (message.clip.desk) {
		ask(request, &message, NULL);
	}
}

void api_handle_clip_set(struct request *request) {
	const char *text = schema_text(request->json, "text", "");
	size_t len = strlen(text);
	struct shm shm = SHM_NONE;
	struct ipc_message message = { .kind = IPC_CLIP_SET,
		.clip = { .desk = api_wanted_desktop(request), .size = (uint32_t)len } };
	if (!message.clip.desk) {
		return;
	}
	if (shm_create("clipboard", len ? len : 1, true, &shm) < 0) {
		api_refuse(request->connection, REASON_RESOURCES, NULL);
		return;
	}
	memcpy(shm.map, text, len);
	ask(request, &message, &shm.fd);
	shm_finish(&shm);
}

void api_handle_clip(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds) {
	struct connection *connection = gate_waiting(gate, message->clip.request, AWAITS_CLIP);
	if (connection && *(const uint64_t *)connection->wait == message->clip.desk) {
		api_clip_gone(connection);
		api_carry(connection, fds_take(fds, 0), message->clip.size,
				"text/plain; charset=utf-8");
	}
}

bool api_clip_done(struct gate *gate, const struct ipc_message *message) {
	struct connection *connection = gate_waiting(gate, message->api_done.request, AWAITS_CLIP);
	if (!connection) {
		return false;
	}
	api_clip_gone(connection);
	if (message->api_done.reason == REASON_NONE) {
		api_success(connection);
	} else {
		api_refuse(connection, message->api_done.reason, message->api_done.detail);
	}
	return true;
}

void api_clip_gone(struct connection *connection) {
	free(TAKE(connection->wait, NULL));
}

void api_clip_overdue(struct connection *connection) {
	api_clip_gone(connection);
	api_refuse(connection, REASON_CLIPBOARD_OVERDUE, NULL);
}
