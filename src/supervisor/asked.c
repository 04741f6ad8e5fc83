/* SPDX-License-Identifier: MIT */
#include "supervisor/asked.h"

#include "ipc/channel.h"
#include "ipc/reason.h"
#include "supervisor/desk.h"
#include "supervisor/extra.h"
#include "supervisor/images.h"
#include "supervisor/session.h"
#include "supervisor/session_added.h"
#include "supervisor/shot.h"
#include "supervisor/supervisor.h"

enum {
	/* What a desktop calls the web door, which steers it for programs. Views count up
	 * from 1. */
	API_VIEWER = UINT32_MAX,
};

void asked_answer(struct supervisor *supervisor, uint32_t request, uint32_t reason) {
	struct ipc_message done = { .kind = IPC_API_DONE,
		.api_done = { .request = request, .reason = reason } };
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

/* One that programs may see: neither ending nor the trial's. */
static struct session *find(struct supervisor *supervisor, uint64_t id) {
	struct session *session = session_find(supervisor, id);
	return session && !session->internal && session->life.state < LIFE_ENDING ? session : NULL;
}

static void handle_do(struct supervisor *supervisor, const struct ipc_message *message) {
	if (message->api_do.what == API_FORGET) {
		session_added_forget(supervisor, message);
		return;
	}
	struct session *session = find(supervisor, message->api_do.session);
	if (!session) {
		asked_answer(supervisor, message->api_do.request, REASON_SESSION_UNKNOWN);
		return;
	}
	session_raise(session, message->api_do.what == API_STOP ? LIFE_QUIT : LIFE_VIEWER_LOST,
			REASON_ASKED, NULL);
	asked_answer(supervisor, message->api_do.request, REASON_NONE);
}

struct desk *asked_desk(struct supervisor *supervisor, uint64_t id, uint32_t request) {
	struct desk *desk = desk_find(supervisor, id);
	if (!desk || desk->internal || desk->ending) {
		asked_answer(supervisor, request, REASON_DESKTOP_UNKNOWN);
		return NULL;
	}
	if (!desk->desktop || !desk->desktop_ready) {
		asked_answer(supervisor, request, REASON_NOT_READY);
		return NULL;
	}
	return desk;
}

static void handle_input_ask(struct supervisor *supervisor, const struct ipc_message *message) {
	struct desk *desk = asked_desk(
			supervisor, message->api_input.session, message->api_input.request);
	int pair[2];
	if (!desk) {
		return;
	}
	if (channel_pair(pair) < 0) {
		asked_answer(supervisor, message->api_input.request, REASON_RESOURCES);
		return;
	}
	struct ipc_message viewer = { .kind = IPC_DESKTOP_VIEWER,
		.desktop_viewer = { .viewer = API_VIEWER, .may_input = true } };
	struct ipc_message input = { .kind = IPC_API_INPUT, .api_input = message->api_input };
	child_post(desk->desktop, &viewer, &pair[0], 1);
	supervisor_post(supervisor, SERVICE_WEB, &input, &pair[1], 1);
	fd_close(pair[0]);
	fd_close(pair[1]);
}

static void handle_keys_ask(struct supervisor *supervisor, const struct ipc_message *message) {
	const struct desk *desk = asked_desk(
			supervisor, message->keys_ask.session, message->keys_ask.request);
	if (desk) {
		child_post(desk->desktop, message, NULL, 0);
	}
}

bool asked_handle(struct supervisor *supervisor, const struct ipc_message *message) {
	switch ((int)message->kind) {
	case IPC_API_DO:
		handle_do(supervisor, message);
		return true;
	case IPC_API_INPUT_ASK:
		handle_input_ask(supervisor, message);
		return true;
	case IPC_KEYS_ASK:
		handle_keys_ask(supervisor, message);
		return true;
	case IPC_MEMORY_ASK:
		measure_ask(supervisor, message);
		return true;
	case IPC_SESSION_START:
		session_handle_start(supervisor, message);
		return true;
	case IPC_RUNNER_ADD:
		extra_add(supervisor, message);
		return true;
	case IPC_IMAGE_ASK:
		images_ask(supervisor, message);
		return true;
	case IPC_SHOT_ASK:
		shot_handle(supervisor, message);
		return true;
	default:
		return false;
	}
}
