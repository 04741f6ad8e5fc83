/* SPDX-License-Identifier: MIT */
#include "supervisor/extra.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/app_made.h"
#include "supervisor/apps.h"
#include "supervisor/container.h"
#include "supervisor/desk.h"
#include "supervisor/session.h"
#include "supervisor/session_app.h"
#include "supervisor/supervisor.h"
#include "supervisor/tell.h"

enum {
	GRACE_MS = 1000,
	CONTAINER_GRACE_MS = 5000, /* its engine is asked to stop and to remove it */
};

/* A child's view, which a runner has none of, says in the ledger what it is. */
#define VIEW_STAYS (UINT32_MAX - 1)
#define VIEW_ENDS (UINT32_MAX - 2)
#define VIEW_CONTAINER_STAYS (UINT32_MAX - 3)
#define VIEW_CONTAINER_ENDS (UINT32_MAX - 4)

struct extra {
	struct desk *desk; /* borrowed */
	struct extra *next;
	struct child *child; /* NULL once it is gone */
	bool ends_session;
	bool container;   /* its runner is none of the desk's processes: nobody waits for it */
	uint32_t request; /* that waits for it to run, 0: none */
	struct app app;   /* owned; without a source in one that a predecessor began */
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

static uint32_t grace_ms(const struct extra *extra) {
	return extra->container ? CONTAINER_GRACE_MS : GRACE_MS;
}

static void forget(struct extra *extra) {
	struct extra **at = &extra->desk->extras;
	while (*at != extra) {
		at = &(*at)->next;
	}
	*at = extra->next;
	app_finish_own(&extra->app);
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
	child_stop(extra->child, REASON_ASKED, grace_ms(extra));
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
	} else if (message->kind == IPC_RUNNER_ENGINE_ASK) {
		container_connect(extra->desk->supervisor, child);
	} else if (message->kind == IPC_RUNNER_PULL) {
		session_app_tell_image(extra->desk, &extra->app, message->runner_pull.detail);
	} else if (message->kind == IPC_RUNNER_EXITED) {
		handle_exited(extra, message);
	}
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct extra *extra = (struct extra *)child->user;
	struct desk *desk = extra->desk;
	bool container = extra->container;
	answer_once(extra, end->reason ? end->reason : REASON_RUNNER_DIED, end->detail);
	/* It is removed when the session is over, in which it may do no harm. */
	desk->left_over |= container && !end->expected;
	forget(extra);
	if (!container) {
		desk_child_gone(desk);
	}
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

/* What it is, in its desk's app's home: that goes by the title. */
static int read_app(
		struct extra *extra, const struct ipc_message *message, struct config_text *error) {
	const typeof(message->runner_add) *from = &message->runner_add;
	const struct desk *desk = extra->desk;
	const struct app_words words = { .title = desk->app->title,
		.argv = from->argv,
		.argv_len = from->argv_len,
		.how = &from->how };
	int rc = app_make_own(&words, desk->supervisor->nursery.libexec, &extra->app, error);
	if (rc < 0) {
		return rc;
	}
	int type = extra->app.runner->type;
	extra->container = type == RUNNER_CONTAINER;
	/* Where nothing else is said, it may as much as the app beside it. */
	extra->app.normal_privileges = type == RUNNER_AUTO && desk->app->normal_privileges;
	return 0;
}

/* A container program of an older version would take it for the app's. */
static bool is_of_this_version(const struct desk *desk) {
	const struct programs *current = desk->supervisor->versions.current;
	return !current || !desk->desktop || desk->desktop->version == current->number;
}

static int spawn(struct extra *extra) {
	bool container = extra->container, ends = extra->ends_session;
	uint32_t view = container ? ends ? VIEW_CONTAINER_ENDS : VIEW_CONTAINER_STAYS
			: ends    ? VIEW_ENDS
				  : VIEW_STAYS;
	return session_app_spawn(extra->desk, &extra->app, random_u32() | 1, &owner, extra, view,
			&extra->child);
}

static uint32_t begin(
		struct desk *desk, const struct ipc_message *message, char *detail, size_t size) {
	struct extra *extra = make(desk, message->runner_add.ends_session);
	struct config_text error = { "" };
	int rc = extra ? read_app(extra, message, &error) : -ENOMEM;
	if (rc == 0 && extra->container && !is_of_this_version(desk)) {
		rc = config_refuse(&error, "This session runs an older version of Perigee, which "
					   "knows no further container.");
	}
	uint32_t reason = rc == -EINVAL ? REASON_RUNNER_REFUSED : REASON_SPAWN_FAILED;
	rc = rc < 0 ? rc : spawn(extra);
	if (rc < 0) {
		text_format(detail, size, "%.*s", (int)size - 1,
				error.text[0] ? error.text : strerror(-rc));
		log_warning("extra-failed", "session=%016llx error=%s",
				(unsigned long long)desk->id, log_quote(detail).text);
		if (extra) {
			forget(extra);
		}
		return reason;
	}
	desk->children += !extra->container;
	extra->request = message->runner_add.request;
	return REASON_NONE;
}

void extra_add(struct supervisor *supervisor, const struct ipc_message *message) {
	uint32_t request = message->runner_add.request, reason;
	const struct session *session = session_find(supervisor, message->runner_add.session);
	char detail[160] = "";
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
		reason = begin(desk, message, detail, sizeof(detail));
	}
	if (reason != REASON_NONE) {
		answer(supervisor, request, reason, detail);
	}
}

static bool view_is_container(uint32_t view) {
	return view == VIEW_CONTAINER_STAYS || view == VIEW_CONTAINER_ENDS;
}

bool extra_is(const struct child_left *left) {
	return left->kind == PEER_RUNNER && left->view >= VIEW_CONTAINER_ENDS &&
	       left->view <= VIEW_STAYS;
}

int extra_adopt(struct desk *desk, struct child_left *left) {
	bool ends = left->view == VIEW_ENDS || left->view == VIEW_CONTAINER_ENDS;
	bool container = view_is_container(left->view);
	struct extra *extra = make(desk, ends);
	int rc = extra ? child_adopt(&desk->supervisor->nursery, left, &owner, extra, &extra->child)
		       : -ENOMEM;
	if (rc < 0 && extra) {
		forget(extra);
	}
	if (rc == 0) {
		extra->container = container;
		desk->children += !container;
	}
	return rc;
}

/* As a container's own desk does: its runner is left to end it. */
static void close_container(struct extra *extra, uint32_t reason) {
	container_close(extra->desk->supervisor, TAKE(extra->child, NULL), reason,
			CONTAINER_GRACE_MS);
	forget(extra);
}

void extras_stop(struct desk *desk, uint32_t reason) {
	for (struct extra *at = desk->extras, *next; at; at = next) {
		next = at->next;
		if (at->container && at->child) {
			close_container(at, reason);
		} else {
			child_stop(at->child, reason, grace_ms(at));
		}
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
