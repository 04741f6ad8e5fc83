/* SPDX-License-Identifier: MIT */
#include "supervisor/permits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"
#include "supervisor/view.h"
#include "supervisor/view_inside.h"

static struct permit *find(const struct permits *permits, const uint8_t client[32]) {
	for (size_t i = 0; i < permits->count; i++) {
		if (memcmp(permits->list[i].settings.client, client, 32) == 0) {
			return &permits->list[i];
		}
	}
	return NULL;
}

void permits_begin(struct permits *permits) {
	for (size_t i = 0; i < permits->count; i++) {
		permits->list[i].listed = false;
	}
}

int permits_take(struct permits *permits, const struct ipc_message *message) {
	struct permit *permit = find(permits, message->client_settings.client);
	if (!permit && permits->count == permits->room) {
		size_t room = permits->room ? permits->room * 2 : 16;
		struct permit *list = realloc(permits->list, room * sizeof(*list));
		if (!list) {
			return -ENOMEM;
		}
		permits->list = list;
		permits->room = room;
	}
	permit = permit ? permit : &permits->list[permits->count++];
	*permit = (struct permit){ .settings = message->client_settings, .listed = true };
	return 0;
}

bool permits_drop(struct permits *permits, const uint8_t client[32]) {
	struct permit *permit = find(permits, client);
	if (permit) {
		*permit = permits->list[--permits->count];
	}
	return permit != NULL;
}

const struct permit *permits_next_stale(const struct permits *permits) {
	for (size_t i = 0; i < permits->count; i++) {
		if (!permits->list[i].listed) {
			return &permits->list[i];
		}
	}
	return NULL;
}

const client_settings *permits_of(const struct permits *permits, const uint8_t client[32]) {
	const struct permit *permit = find(permits, client);
	return permit ? &permit->settings : NULL;
}

bool permits_allow(const client_settings *settings, uint32_t permissions) {
	return !settings || (settings->permissions & permissions) == permissions;
}

bool permits_allow_app(const client_settings *settings, int32_t app) {
	unsigned count = settings ? settings->apps_count : 0;
	for (unsigned i = 0; i < count; i++) {
		if (settings->apps[i] == app) {
			return true;
		}
	}
	return count == 0;
}

bool permits_allow_lobby(const client_settings *settings, const char *name) {
	if (!settings || settings->lobbies_len == 0) {
		return true;
	}
	const char *end = settings->lobbies + settings->lobbies_len;
	for (const char *at = settings->lobbies; at < end;) {
		size_t len = strnlen(at, (size_t)(end - at));
		if (len == strlen(name) && memcmp(at, name, len) == 0) {
			return true;
		}
		at += len + 1;
	}
	return false;
}

void permits_finish(struct permits *permits) {
	free(permits->list);
	*permits = (struct permits){ .list = NULL };
}

/* ---- what follows from it ---- */

void permits_tell_stream(struct session *session) {
	struct view *view = session->view;
	if (!view || !view->started || !view->stream.child) {
		return;
	}
	const client_settings *settings =
			permits_of(&session->supervisor->permits, session->client);
	struct ipc_message message = {
		.kind = IPC_STREAM_CLIENT,
		.stream_client = { .permissions = PERMIT_ALL,
				.mouse_milli = 1000,
				.scroll_milli = 1000,
				.scroll_side_milli = 1000 },
	};
	if (settings) {
		message.stream_client.permissions = settings->permissions;
		message.stream_client.mouse_milli = settings->mouse_milli;
		message.stream_client.scroll_milli = settings->scroll_milli;
		message.stream_client.scroll_side_milli = settings->scroll_side_milli;
		message.stream_client.motion = settings->motion;
		message.stream_client.controllers_count = settings->controllers_count;
		memcpy(message.stream_client.controllers, settings->controllers,
				sizeof(settings->controllers));
	}
	child_post(view->stream.child, &message, NULL, 0);
}

/* What perigee.yaml says of a client holds at once, and is kept, so that all know the same. */
static void keep(struct supervisor *supervisor, const struct ipc_message *laid, uint32_t fields) {
	struct ipc_message set = *laid;
	set.kind = IPC_CLIENT_SET;
	set.client_settings.request = 0;
	set.client_settings.fields = fields;
	log_info("client-as-configured", "name=%s fields=0x%x",
			log_quote(set.client_settings.name).text, fields);
	supervisor_post(supervisor, SERVICE_STORE, &set, NULL, 0);
}

static void take(struct supervisor *supervisor, const struct ipc_message *told) {
	struct ipc_message laid = *told;
	const struct ipc_message *message = &laid;
	uint32_t fields = config_clients_lay_over(&supervisor->config, &laid.client_settings);
	if (fields) {
		keep(supervisor, &laid, fields);
	}
	int rc = permits_take(&supervisor->permits, message);
	if (rc < 0) {
		log_error("client-settings-lost", "error=%d", rc);
		return;
	}
	for (struct session *at = supervisor->sessions; at; at = at->next) {
		if (memcmp(at->client, message->client_settings.client, 32) == 0) {
			permits_tell_stream(at);
		}
	}
}

void permits_lay_over(struct supervisor *supervisor) {
	for (size_t i = 0; i < supervisor->permits.count; i++) {
		struct ipc_message message = { .kind = IPC_CLIENT_SETTINGS,
			.client_settings = supervisor->permits.list[i].settings };
		take(supervisor, &message);
	}
}

static void drop(struct supervisor *supervisor, const uint8_t client[32]) {
	uint8_t gone[32];
	memcpy(gone, client, sizeof(gone)); /* it may lie in the row that goes */
	permits_drop(&supervisor->permits, gone);
	session_handle_client_gone(supervisor, gone);
}

void permits_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	struct permits *permits = &supervisor->permits;
	if (message->kind == IPC_CLIENT_SETTINGS) {
		take(supervisor, message);
	} else if (message->kind == IPC_CLIENT_GONE) {
		drop(supervisor, message->client_ref.client);
	} else if (message->kind == IPC_STATE_END) {
		const struct permit *stale;
		while ((stale = permits_next_stale(permits))) {
			log_info("client-gone-meanwhile", "clients=%zu", permits->count);
			drop(supervisor, stale->settings.client);
		}
		permits->known = true;
	}
}

uint32_t permits_judge(const struct supervisor *supervisor, const uint8_t client[32], int32_t app,
		const char *title, char *detail, size_t size) {
	const client_settings *settings = permits_of(&supervisor->permits, client);
	if (!supervisor->permits.known) {
		return REASON_NOT_READY;
	}
	if (!permits_allow(settings, PERMIT_LAUNCH)) {
		text_copy(detail, size,
				"This client may not start apps on this host. Ask who runs it.");
		return REASON_NOT_PERMITTED;
	}
	if (!permits_allow_app(settings, app)) {
		text_format(detail, size,
				"This client may not start %s on this host. Ask who runs it.",
				title);
		return REASON_NOT_PERMITTED;
	}
	return REASON_NONE;
}

uint32_t permits_judge_lobby(const struct supervisor *supervisor, const uint8_t client[32],
		uint32_t permission, const char *name, char *detail, size_t size) {
	const client_settings *settings = permits_of(&supervisor->permits, client);
	if (permits_allow(settings, permission) && permits_allow_lobby(settings, name)) {
		return REASON_NONE;
	}
	text_format(detail, size, "This client may not %s the lobby %s. Ask who runs the host.",
			permission == PERMIT_LOBBY_CREATE ? "make" : "join", name);
	return REASON_NOT_PERMITTED;
}
