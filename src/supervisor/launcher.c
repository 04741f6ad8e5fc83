/* SPDX-License-Identifier: MIT */
#include "supervisor/launcher.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "supervisor/apps.h"
#include "supervisor/desk.h"
#include "supervisor/lobby.h"
#include "supervisor/record.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"

bool launcher_is_on(const struct desk *desk) {
	return desk->app->launcher && !desk->shared;
}

/* ---- who is there ---- */

static void note_profile(struct session *session, const char *profile) {
	log_info(profile[0] ? "profile-entered" : "profile-left", "session=%016llx profile=%s",
			(unsigned long long)session->id,
			log_quote(profile[0] ? profile : session->profile).text);
	text_copy(session->profile, sizeof(session->profile), profile);
	record_touch(session);
}

void launcher_forget_profile(struct supervisor *supervisor, const char *profile) {
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (at->profile[0] && strcmp(at->profile, profile) == 0) {
			note_profile(at, "");
		}
	}
}

/* The app's word alone opens nobody's home. */
static bool may_be(const struct session *session, const struct ipc_message *message) {
	const char *owner = message->desk_ask.owner;
	return !owner[0] || message->desk_ask.open || strcmp(session->profile, owner) == 0;
}

/* ---- what it asks ---- */

static uint32_t may_create(const struct supervisor *supervisor, const struct session *session,
		const struct ipc_message *message, const struct app *app, char *detail,
		size_t size) {
	if (!app || app->launcher) {
		return REASON_APP_UNKNOWN;
	}
	if (!may_be(session, message)) {
		return REASON_PROFILE_LOCKED;
	}
	uint32_t reason = permits_judge(
			supervisor, session->client, app->id, app->title, detail, size);
	return reason != REASON_NONE
			       ? reason
			       : permits_judge_lobby(supervisor, session->client,
						 PERMIT_LOBBY_CREATE, app->title, detail, size);
}

static void create(struct supervisor *supervisor, struct session *session,
		const struct ipc_message *message) {
	const struct app *app = apps_find(&supervisor->apps, message->desk_ask.app);
	struct ipc_message refusal = { .kind = IPC_LOBBY_CREATED,
		.lobby_created.request = message->desk_ask.request };
	refusal.lobby_created.reason = may_create(supervisor, session, message, app,
			refusal.lobby_created.detail, sizeof(refusal.lobby_created.detail));
	if (refusal.lobby_created.reason != REASON_NONE) {
		log_info("launcher-refused", "session=%016llx reason=%s",
				(unsigned long long)session->id,
				reason_row(refusal.lobby_created.reason)->name);
		supervisor_post(supervisor, SERVICE_WEB, &refusal, NULL, 0);
		return;
	}
	if (session->profile[0] && strcmp(session->profile, message->desk_ask.owner) != 0) {
		note_profile(session, ""); /* somebody else is there by now */
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
	if (message->kind == IPC_DESK_PROFILE) {
		struct session *at = session_find(supervisor, message->desk_profile.desk);
		if (at && launcher_is_on(at->desk)) {
			note_profile(at, message->desk_profile.profile);
		}
		return true;
	}
	if (message->kind != IPC_DESK_ASK) {
		return false;
	}
	struct session *session = session_find(supervisor, message->desk_ask.desk);
	bool creates = message->desk_ask.what == DESK_CREATE;
	if (!session || !launcher_is_on(session->desk)) {
		refuse(supervisor, message->desk_ask.request, creates);
		return true;
	}
	if (creates) {
		create(supervisor, session, message);
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
