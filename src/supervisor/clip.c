/* SPDX-License-Identifier: MIT */
#include "supervisor/clip.h"

#include "ipc/reason.h"
#include "supervisor/asked.h"
#include "supervisor/desk.h"
#include "supervisor/permits.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

static bool may(const struct supervisor *supervisor, const uint8_t client[32]) {
	return permits_allow(permits_of(&supervisor->permits, client), PERMIT_CLIPBOARD);
}

/* A session's own desktop is its client's; a lobby's is nobody's. Who is named as the one who
 * sees it must be one who may, too. */
static bool is_permitted(struct supervisor *supervisor, const struct desk *desk,
		const struct ipc_message *message) {
	const struct session *session =
			message->clip.session ? session_find(supervisor, message->clip.session)
					      : NULL;
	return (desk->shared || may(supervisor, desk->client)) &&
	       (!session || may(supervisor, session->client));
}

bool clip_ask(struct supervisor *supervisor, const struct ipc_message *message,
		struct ipc_fds *fds) {
	if (message->kind != IPC_CLIP_GET && message->kind != IPC_CLIP_SET) {
		return false;
	}
	const struct desk *desk = asked_desk(supervisor, message->clip.desk, message->clip.request);
	if (!desk) {
		return true;
	}
	if (!is_permitted(supervisor, desk, message)) {
		asked_answer(supervisor, message->clip.request, REASON_NOT_PERMITTED);
		return true;
	}
	OWN(fd_close) int fd = message->kind == IPC_CLIP_SET ? fds_take(fds, 0) : -1;
	child_post(desk->desktop, message, &fd, fd >= 0);
	return true;
}

bool clip_answer(const struct desk *desk, struct ipc_message *message, struct ipc_fds *fds) {
	if (message->kind == IPC_CLIP_DONE) {
		asked_answer(desk->supervisor, message->clip_done.request,
				message->clip_done.reason);
		return true;
	}
	if (message->kind != IPC_CLIP) {
		return false;
	}
	OWN(fd_close) int fd = fds_take(fds, 0);
	message->clip.desk = desk->id; /* whatever the desktop said */
	supervisor_post(desk->supervisor, SERVICE_WEB, message, &fd, 1);
	return true;
}
