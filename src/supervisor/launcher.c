/* SPDX-License-Identifier: MIT */
#include "supervisor/launcher.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/apps.h"
#include "supervisor/desk.h"
#include "supervisor/lobby.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

bool launcher_is_on(const struct desk *desk) {
	return desk->app->launcher && !desk->shared;
}

/* ---- what it asks ---- */

static uint32_t may_create(const struct supervisor *supervisor, const struct session *session,
		const struct app *app, char *detail, size_t size) {
	if (!app || app->launcher) {
		return REASON_APP_UNKNOWN;
	}
	uint32_t reason = permits_judge(
			supervisor, session->client, app->id, app->title, detail, size);
	return reason != REASON_NONE
			       ? reason
			       : permits_judge_lobby(supervisor, session->client,
						 PERMIT_LOBBY_CREATE, app->title, detail, size);
}

static void create(struct supervisor *supervisor, const struct session *session,
		const struct ipc_message *message) {
	const struct app *app = apps_find(&supervisor->apps, message->desk_ask.app);
	struct ipc_message refusal = { .kind = IPC_LOBBY_CREATED,
		.lobby_created.request = message->desk_ask.request };
	refusal.lobby_created.reason = may_create(supervisor, session, app,
			refusal.lobby_created.detail, sizeof(refusal.lobby_created.detail));
	if (refusal.lobby_created.reason != REASON_NONE) {
		supervisor_post(supervisor, SERVICE_WEB, &refusal, NULL, 0);
		return;
	}
	const struct desk *desk = session->desk;
	struct ipc_message lobby = { .kind = IPC_LOBBY_CREATE,
		.lobby_create = { .request = message->desk_ask.request,
				.flags = message->desk_ask.several ? LOBBY_MULTI_USER
								   : LOBBY_PRIVATE,
				.width = desk->width,
				.height = desk->height,
				.rate_x100 = desk->rate_mhz / 10,
				.channels = desk->channels,
				.app = app->id } };
	text_copy(lobby.lobby_create.name, sizeof(lobby.lobby_create.name), app->title);
	text_copy(lobby.lobby_create.owner, sizeof(lobby.lobby_create.owner),
			message->desk_ask.owner);
	text_copy(lobby.lobby_create.pin, sizeof(lobby.lobby_create.pin), message->desk_ask.pin);
	/* Its home is the profile's, or else the client's, as if it were launched by Moonlight. */
	text_copy(lobby.lobby_create.state_folder, sizeof(lobby.lobby_create.state_folder),
			app->title);
	memcpy(lobby.lobby_create.client, session->client, sizeof(lobby.lobby_create.client));
	lobby_handle(supervisor, &lobby);
	explicit_bzero(&lobby, sizeof(lobby));
}

/* Whatever the door let through: none but a launcher's own session is moved. */
static void refuse(struct supervisor *supervisor, uint32_t request, bool creates) {
	struct ipc_message refusal = { .kind = IPC_LOBBY_DONE,
		.lobby_done = { .request = request, .reason = REASON_SESSION_UNKNOWN } };
	if (creates) {
		refusal = (struct ipc_message){ .kind = IPC_LOBBY_CREATED,
			.lobby_created = { .request = request, .reason = REASON_SESSION_UNKNOWN } };
	}
	supervisor_post(supervisor, SERVICE_WEB, &refusal, NULL, 0);
}

bool launcher_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	static const enum ipc_kind kinds[DESK_VERBS] = {
		[DESK_JOIN] = IPC_LOBBY_JOIN,
		[DESK_LEAVE] = IPC_LOBBY_LEAVE,
		[DESK_STOP] = IPC_LOBBY_STOP,
	};
	if (message->kind != IPC_DESK_ASK) {
		return false;
	}
	const struct session *session = session_find(supervisor, message->desk_ask.desk);
	bool creates = message->desk_ask.what == DESK_CREATE;
	if (!session || !launcher_is_on(session->desk)) {
		refuse(supervisor, message->desk_ask.request, creates);
		return true;
	}
	if (creates) {
		create(supervisor, session, message);
		return true;
	}
	if (!session) {
		lobby_answer(supervisor, message->desk_ask.request, REASON_SESSION_UNKNOWN, NULL);
		return true;
	}
	struct ipc_message ask = { .kind = kinds[message->desk_ask.what],
		.lobby_ask = { .request = message->desk_ask.request,
				.session = message->desk_ask.desk,
				.role = ROLE_PLAYER } };
	text_copy(ask.lobby_ask.lobby, sizeof(ask.lobby_ask.lobby), message->desk_ask.lobby);
	text_copy(ask.lobby_ask.pin, sizeof(ask.lobby_ask.pin), message->desk_ask.pin);
	lobby_handle_of(supervisor, session, &ask);
	explicit_bzero(&ask, sizeof(ask));
	return true;
}
