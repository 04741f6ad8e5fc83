/* SPDX-License-Identifier: MIT */
#include "supervisor/launcher.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/apps.h"
#include "supervisor/desk.h"
#include "supervisor/lobby.h"
#include "supervisor/session.h"
#include "supervisor/sockets.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

bool launcher_is_on(const struct desk *desk) {
	return desk->app->launcher && !desk->shared;
}

void launcher_open(const struct desk *desk) {
	struct supervisor *supervisor = desk->supervisor;
	char path[160];
	if (!launcher_is_on(desk) || !desk->runtime[0] || desk->ending ||
			!supervisor->services[SERVICE_WEB].child) {
		return;
	}
	text_format(path, sizeof(path), "%s/%s", desk->runtime, LAUNCHER_SOCKET);
	OWN(fd_close)
	int fd = sockets_listen_unix(path, supervisor->paths.uid, supervisor->paths.gid);
	if (fd < 0) {
		log_error("launcher-socket", "session=%016llx error=%s",
				(unsigned long long)desk->id, log_quote(strerror(-fd)).text);
		return;
	}
	struct ipc_message message = { .kind = IPC_GATE_DESK, .gate_desk.desk = desk->id };
	supervisor_post(supervisor, SERVICE_WEB, &message, &fd, 1);
}

void launcher_open_all(struct supervisor *supervisor) {
	for (const struct desk *at = supervisor->desks; at; at = at->next) {
		launcher_open(at);
	}
}

void launcher_close(const struct desk *desk) {
	if (launcher_is_on(desk)) {
		struct ipc_message message = { .kind = IPC_GATE_DESK_GONE,
			.gate_desk.desk = desk->id };
		supervisor_post(desk->supervisor, SERVICE_WEB, &message, NULL, 0);
	}
}

/* ---- what it asks ---- */

/* A profile's apps keep what they wrote; without one it is the client's. */
static void name_state(const struct session *session, const struct app *app, const char *owner,
		char *out, size_t size) {
	const uint8_t *c = session->client;
	if (owner[0]) {
		text_format(out, size, "%s %s", owner, app->title);
	} else {
		text_format(out, size, "%02x%02x%02x%02x %s", c[0], c[1], c[2], c[3], app->title);
	}
}

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
				.flags = message->desk_ask.several ? LOBBY_MULTI_USER : 0,
				.width = desk->width,
				.height = desk->height,
				.rate_x100 = desk->rate_mhz / 10,
				.channels = desk->channels,
				.app = app->id } };
	text_copy(lobby.lobby_create.name, sizeof(lobby.lobby_create.name), app->title);
	text_copy(lobby.lobby_create.owner, sizeof(lobby.lobby_create.owner),
			message->desk_ask.owner);
	text_copy(lobby.lobby_create.pin, sizeof(lobby.lobby_create.pin), message->desk_ask.pin);
	name_state(session, app, message->desk_ask.owner, lobby.lobby_create.state_folder,
			sizeof(lobby.lobby_create.state_folder));
	lobby_handle(supervisor, &lobby);
	explicit_bzero(&lobby, sizeof(lobby));
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
	if (message->desk_ask.what == DESK_CREATE && session) {
		create(supervisor, session, message);
		return true;
	}
	if (message->desk_ask.what == DESK_CREATE) {
		struct ipc_message refusal = { .kind = IPC_LOBBY_CREATED,
			.lobby_created = { .request = message->desk_ask.request,
					.reason = REASON_SESSION_UNKNOWN } };
		supervisor_post(supervisor, SERVICE_WEB, &refusal, NULL, 0);
		return true;
	}
	struct ipc_message ask = { .kind = kinds[message->desk_ask.what],
		.lobby_ask = { .request = message->desk_ask.request,
				.session = message->desk_ask.desk,
				.role = ROLE_PLAYER } };
	text_copy(ask.lobby_ask.lobby, sizeof(ask.lobby_ask.lobby), message->desk_ask.lobby);
	text_copy(ask.lobby_ask.pin, sizeof(ask.lobby_ask.pin), message->desk_ask.pin);
	lobby_handle(supervisor, &ask);
	explicit_bzero(&ask, sizeof(ask));
	return true;
}
