/* SPDX-License-Identifier: MIT */
#include "supervisor/extra.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/apps.h"
#include "supervisor/desk.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

enum {
	WORDS_MAX = 64,
	GRACE_MS = 1000,
};

/* A child's view, which a runner has none of, says in the ledger what it is. */
#define VIEW_STAYS (UINT32_MAX - 1)
#define VIEW_ENDS (UINT32_MAX - 2)

struct extra {
	struct desk *desk; /* borrowed */
	struct extra *next;
	struct child *child; /* NULL once it is gone */
	bool ends_session;
	uint32_t request; /* that waits for it to run, 0: none */
};

static void answer(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail) {
	struct ipc_message done = { .kind = IPC_API_DONE,
		.api_done = { .request = request, .reason = reason } };
	text_copy(done.api_done.detail, sizeof(done.api_done.detail), detail ? detail : "");
	supervisor_post(supervisor, SERVICE_WEB, &done, NULL, 0);
}

static void answer_once(struct extra *extra, uint32_t reason, const char *detail) {
	uint32_t request = TAKE(extra->request, 0);
	if (request) {
		answer(extra->desk->supervisor, request, reason, detail);
	}
}

static void forget(struct extra *extra) {
	struct extra **at = &extra->desk->extras;
	while (*at != extra) {
		at = &(*at)->next;
	}
	*at = extra->next;
	free(extra);
}

static void handle_exited(struct extra *extra, const struct ipc_message *message) {
	struct desk *desk = extra->desk;
	int32_t status = message->runner_exited.status;
	const char *lines = message->runner_exited.last_lines;
	log_info("extra-exited", "session=%016llx status=0x%x", (unsigned long long)desk->id,
			(unsigned)status);
	answer_once(extra, REASON_APP_FAILED, lines);
	tell_desk_event(desk, TOLD_APP_EXITED, status, lines);
	child_stop(extra->child, REASON_ASKED, GRACE_MS);
	if (extra->ends_session && !desk->ending) {
		desk_raise(desk, DESK_APP_OVER, REASON_APP_EXITED, NULL);
	}
}

static void handle_message(struct child *child, struct ipc_message *message, struct ipc_fds *fds) {
	struct extra *extra = (struct extra *)child->user;
	if (message->kind == IPC_RUNNER_GATE) {
		int fd = fds_take(fds, 0);
		(void)!send(fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		fd_close(fd);
	} else if (message->kind == IPC_RUNNER_APP) {
		log_info("extra-started", "session=%016llx app_pid=%u",
				(unsigned long long)extra->desk->id, message->runner_app.pid);
		tell_desk_event(extra->desk, TOLD_APP_STARTED, (int32_t)message->runner_app.pid,
				NULL);
		answer_once(extra, REASON_NONE, NULL);
	} else if (message->kind == IPC_RUNNER_EXITED) {
		handle_exited(extra, message);
	}
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct extra *extra = (struct extra *)child->user;
	struct desk *desk = extra->desk;
	answer_once(extra, end->reason ? end->reason : REASON_RUNNER_DIED, end->detail);
	forget(extra);
	desk_child_gone(desk);
}

static const struct child_owner owner = { .message = handle_message, .ended = handle_ended };

static struct extra *make(struct desk *desk, bool ends_session) {
	struct extra *extra = calloc(1, sizeof(*extra));
	if (extra) {
		*extra = (struct extra){
			.desk = desk, .next = desk->extras, .ends_session = ends_session
		};
		desk->extras = extra;
	}
	return extra;
}

/* Its command as an app, whose words the message keeps. False when it is none. */
static bool read_command(const struct ipc_message *message, const char **words, struct app *out) {
	const char *argv = message->runner_add.argv;
	size_t len = message->runner_add.argv_len;
	unsigned count = 0;
	if (len == 0 || len > sizeof(message->runner_add.argv) || argv[len - 1]) {
		return false;
	}
	for (size_t at = 0; at < len; at += strlen(argv + at) + 1) {
		if (count == WORDS_MAX) {
			return false;
		}
		words[count++] = argv + at;
	}
	out->command = words;
	out->command_count = count;
	out->installed = true;
	return argv[0] == '/' && text_copy(out->program, sizeof(out->program), argv);
}

static uint32_t begin(struct desk *desk, const struct ipc_message *message) {
	const char *words[WORDS_MAX];
	/* With its home: that goes by an app's title. */
	struct app app = { .title = desk->app->title,
		.normal_privileges = desk->app->normal_privileges };
	if (!read_command(message, words, &app)) {
		return REASON_APP_UNKNOWN;
	}
	bool ends = message->runner_add.ends_session;
	struct extra *extra = make(desk, ends);
	int rc = extra ? session_app_spawn(desk, &app, &owner, extra, ends ? VIEW_ENDS : VIEW_STAYS,
					 &extra->child)
		       : -ENOMEM;
	if (rc < 0) {
		log_warning("extra-failed", "session=%016llx error=%s",
				(unsigned long long)desk->id, log_quote(strerror(-rc)).text);
		if (extra) {
			forget(extra);
		}
		return REASON_SPAWN_FAILED;
	}
	desk->children++;
	extra->request = message->runner_add.request;
	return REASON_NONE;
}

void extra_add(struct supervisor *supervisor, const struct ipc_message *message) {
	uint32_t request = message->runner_add.request, reason;
	const struct session *session = session_find(supervisor, message->runner_add.session);
	unsigned count = 0;
	if (!session || session->internal || session->life.state >= LIFE_ENDING) {
		answer(supervisor, request, REASON_SESSION_UNKNOWN, NULL);
		return;
	}
	struct desk *desk = session->desk;
	for (const struct extra *at = desk->extras; at; at = at->next) {
		count++;
	}
	if (!desk->desktop_ready || desk->ending) {
		reason = REASON_NOT_READY;
	} else if (count >= EXTRAS_MAX) {
		reason = REASON_RESOURCES;
	} else {
		reason = begin(desk, message);
	}
	if (reason != REASON_NONE) {
		answer(supervisor, request, reason,
				reason == REASON_APP_UNKNOWN
						? "The command must begin with a full path."
						: NULL);
	}
}

bool extra_is(const struct child_left *left) {
	return left->kind == PEER_RUNNER && (left->view == VIEW_STAYS || left->view == VIEW_ENDS);
}

int extra_adopt(struct desk *desk, struct child_left *left) {
	struct extra *extra = make(desk, left->view == VIEW_ENDS);
	int rc = extra ? child_adopt(&desk->supervisor->nursery, left, &owner, extra, &extra->child)
		       : -ENOMEM;
	if (rc < 0 && extra) {
		forget(extra);
	}
	desk->children += rc == 0;
	return rc;
}

void extras_stop(struct desk *desk, uint32_t reason) {
	for (struct extra *at = desk->extras; at; at = at->next) {
		child_stop(at->child, reason, GRACE_MS);
	}
}

void extras_kill(struct desk *desk, uint32_t reason) {
	for (struct extra *at = desk->extras; at; at = at->next) {
		child_kill(at->child, reason, "the session ends");
	}
}

void extras_finish(struct desk *desk) {
	static const struct child_owner nobody = { 0 };
	while (desk->extras) {
		struct child *child = desk->extras->child;
		if (child) {
			child->owner = &nobody;
			child->user = NULL;
		}
		forget(desk->extras);
	}
}
