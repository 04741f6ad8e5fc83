/* SPDX-License-Identifier: MIT */
#include "supervisor/keep.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-event.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/worker.h"

enum {
	RECEIVE_MS = 5000,   /* for the next descriptor that was left */
	PATIENCE_MS = 10000, /* without the holder everything ends: it may be late */
	QUEUE_MAX = 4096,
};

struct keep_item {
	char name[sizeof(((struct ipc_message *)0)->hold.name)];
	int fd; /* owned; -1 when taken */
};

static void answer(struct keep *keep, const struct ipc_message *ask) {
	struct ipc_message message = { .kind = IPC_HOLD_ALIVE, .hold_ask = ask->hold_ask };
	channel_post(&keep->holder, &message, NULL, 0);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	struct keep *keep = (struct keep *)channel->user;
	if (message->kind == IPC_HOLD_ASK) {
		answer(keep, message);
	} else if (message->kind == IPC_HOLD_EXITED) {
		keep->events->exited(keep->user, (pid_t)message->hold_exited.pid,
				message->hold_exited.status);
	} else if (message->kind == IPC_HOLD_DIED) {
		keep->events->died(keep->user, message);
	}
}

static void handle_closed(struct channel *channel, int error) {
	struct keep *keep = (struct keep *)channel->user;
	keep->events->closed(keep->user, error);
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

static int add_left(struct keep *keep, const char *name, int fd) {
	struct keep_item *grown = realloc(keep->left, (keep->n_left + 1) * sizeof(*grown));
	if (!grown) {
		fd_close(fd);
		return -ENOMEM;
	}
	keep->left = grown;
	struct keep_item *item = &keep->left[keep->n_left++];
	text_copy(item->name, sizeof(item->name), name);
	item->fd = fd;
	return 0;
}

static void note_version(struct keep *keep, const struct ipc_message *message) {
	keep->version = message->hold_version.version;
	keep->failed = message->hold_version.failed;
	text_copy(keep->failure, sizeof(keep->failure), message->hold_version.detail);
	text_copy(keep->hold_build, sizeof(keep->hold_build), message->hold_version.build);
	keep->hold_pid = (pid_t)message->hold_version.hold_pid;
}

/* Nothing else is done before all of it is here: who we are depends on it. */
static int receive_left(struct keep *keep) {
	struct ipc_message message;
	struct ipc_fds fds;
	do {
		int rc = channel_receive_fd(WORKER_CHANNEL_FD, PEER_SUPERVISOR, PEER_HOLDER,
				RECEIVE_MS, &message, &fds);
		if (rc == 0 && message.kind == IPC_HOLD_FD) {
			rc = add_left(keep, message.hold.name, fds_take(&fds, 0));
		} else if (rc == 0 && message.kind == IPC_HOLD_VERSION) {
			note_version(keep, &message);
		} else if (rc == 0 && message.kind == IPC_HOLD_ASK) {
			message.kind = IPC_HOLD_ALIVE;
			rc = channel_send_fd(WORKER_CHANNEL_FD, &message, NULL, 0);
		}
		if (rc < 0) {
			return rc;
		}
	} while (message.kind != IPC_HOLD_END);
	return 0;
}

int keep_open(struct keep *keep, struct sd_event *event, const struct keep_events *events,
		void *user) {
	struct stat st;
	*keep = (struct keep){ .holder.fd = -1, .events = events, .user = user, .version = 1 };
	if (fstat(WORKER_CHANNEL_FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		return 0;
	}
	fcntl(WORKER_CHANNEL_FD, F_SETFD, FD_CLOEXEC);
	int rc = receive_left(keep);
	if (rc == 0) {
		rc = channel_open(&keep->holder, event, WORKER_CHANNEL_FD, PEER_SUPERVISOR,
				PEER_HOLDER, &channel_events, keep);
	}
	if (rc == 0) {
		keep->holder.drain_ms = PATIENCE_MS;
		keep->holder.queue_max = QUEUE_MAX;
	}
	return rc;
}

void keep_close(struct keep *keep) {
	channel_close(&keep->holder);
	for (size_t i = 0; i < keep->n_left; i++) {
		fd_close(keep->left[i].fd);
	}
	free(keep->left);
	keep->left = NULL;
	keep->n_left = 0;
}

bool keep_is_open(const struct keep *keep) {
	return channel_is_open(&keep->holder);
}

static struct keep_item *find(const struct keep *keep, const char *name) {
	for (size_t i = 0; i < keep->n_left; i++) {
		if (keep->left[i].fd >= 0 && strcmp(keep->left[i].name, name) == 0) {
			return &keep->left[i];
		}
	}
	return NULL;
}

bool keep_has(const struct keep *keep, const char *name) {
	return find(keep, name) != NULL;
}

static void name_it(struct ipc_message *message, const char *format, va_list args)
		__attribute__((format(printf, 2, 0)));

static void name_it(struct ipc_message *message, const char *format, va_list args) {
	if (vsnprintf(message->hold.name, sizeof(message->hold.name), format, args) < 0) {
		message->hold.name[0] = '\0';
	}
}

int keep_take(struct keep *keep, const char *format, ...) {
	struct ipc_message message;
	va_list args;
	va_start(args, format);
	name_it(&message, format, args);
	va_end(args);
	struct keep_item *item = find(keep, message.hold.name);
	return item ? TAKE(item->fd, -1) : -1;
}

void keep_put(struct keep *keep, int fd, const char *format, ...) {
	struct ipc_message message = { .kind = IPC_HOLD_PUT };
	va_list args;
	va_start(args, format);
	name_it(&message, format, args);
	va_end(args);
	if (fd >= 0) {
		channel_post(&keep->holder, &message, &fd, 1);
	}
}

void keep_drop(struct keep *keep, const char *format, ...) {
	struct ipc_message message = { .kind = IPC_HOLD_DROP };
	va_list args;
	va_start(args, format);
	name_it(&message, format, args);
	va_end(args);
	channel_post(&keep->holder, &message, NULL, 0);
}

void keep_settle(struct keep *keep) {
	for (size_t i = 0; i < keep->n_left; i++) {
		struct keep_item *item = &keep->left[i];
		if (item->fd >= 0) {
			log_info("left-behind", "name=%s", log_quote(item->name).text);
			keep_drop(keep, "%s", item->name);
			fd_close(item->fd);
		}
	}
	free(keep->left);
	keep->left = NULL;
	keep->n_left = 0;
}
