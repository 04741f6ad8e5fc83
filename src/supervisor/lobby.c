/* SPDX-License-Identifier: MIT */
#include "supervisor/lobby.h"

#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/supervisor.h"

static void refuse_creation(struct supervisor *supervisor, uint32_t request, uint32_t reason) {
	struct ipc_message answer = { .kind = IPC_LOBBY_CREATED,
		.lobby_created = { .request = request, .reason = reason } };
	text_copy(answer.lobby_created.detail, sizeof(answer.lobby_created.detail),
			reason_row(reason)->words);
	supervisor_post(supervisor, SERVICE_WEB, &answer, NULL, 0);
}

static void answer(struct supervisor *supervisor, uint32_t request, uint32_t reason) {
	struct ipc_message done = { .kind = IPC_LOBBY_DONE,
		.lobby_done = { .request = request, .reason = reason } };
	text_copy(done.lobby_done.detail, sizeof(done.lobby_done.detail),
			reason ? reason_row(reason)->words : "");
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

void lobby_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	switch (message->kind) {
	case IPC_LOBBY_CREATE:
		refuse_creation(supervisor, message->lobby_create.request, REASON_LOBBIES_MISSING);
		break;
	case IPC_LOBBY_JOIN:
	case IPC_LOBBY_LEAVE:
	case IPC_LOBBY_STOP:
	case IPC_LOBBY_KICK:
	case IPC_LOBBY_ROLE:
		answer(supervisor, message->lobby_ask.request, REASON_LOBBIES_MISSING);
		break;
	default:
		break;
	}
}
