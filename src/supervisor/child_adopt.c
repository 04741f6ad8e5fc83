/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/child_inside.h"

/* Children of a supervisor that died. They are the holder's now: it reaps them, and
 * tells how they ended. */

enum {
	REPORT_MS = 300, /* from the exit to the holder's report */
};

/* Nobody's report of its exit came. */
static int handle_unreported(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	child_reaped((struct child *)user, -1);
	return 0;
}

/* The holder reaps it and tells how it ended; if a predecessor had that report, it
 * does not come again. */
static int handle_adopted_exit(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	(void)revents;
	struct child *child = (struct child *)user;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	child->exited = true;
	watch_term_over(&child->ending);
	sd_event_add_time_relative(child->nursery->event, &child->ending.timer, CLOCK_MONOTONIC,
			REPORT_MS * US_PER_MS, 1000, handle_unreported, child);
	return 0;
}

static struct child *find(struct child *list, pid_t pid) {
	while (list && !(list->adopted && list->pid == pid)) {
		list = list->next;
	}
	return list;
}

bool nursery_reaped(struct nursery *nursery, pid_t pid, int status) {
	struct child *child = find(nursery->first, pid);
	child = child ? child : find(nursery->corpses, pid);
	if (child) {
		child_reaped(child, status);
	}
	return child != NULL;
}

/* What the predecessor had begun with it goes on: its deadline may have passed. */
static int resume(struct child *child) {
	if (child->killed) {
		child->killed = false;
		child_kill(child, REASON_ASKED, "its end had begun");
		return 0;
	}
	if (child->stopping) {
		return watch_end(child, CHILD_STOP_MS);
	}
	if (!channel_is_open(&child->channel)) {
		return 0;
	}
	struct ipc_message who = { .kind = IPC_WHO };
	child->orders_asked = child->orders;
	channel_post(&child->channel, &who, NULL, 0);
	return watch_greeting(child);
}

static int reattach(struct child *child, struct child_left *left) {
	sd_event *event = child->nursery->event;
	child->output_fd = TAKE(left->output_fd, -1);
	child->pidfd = TAKE(left->pidfd, -1);
	if (child->pidfd < 0 || child->output_fd < 0) {
		return -ENOENT;
	}
	int rc = sd_event_add_io(
			event, &child->exit, child->pidfd, EPOLLIN, handle_adopted_exit, child);
	if (rc >= 0) {
		rc = sd_event_add_io(event, &child->output, child->output_fd, EPOLLIN,
				child_handle_output, child);
	}
	if (rc >= 0 && left->channel_fd >= 0) {
		rc = channel_open(&child->channel, event, TAKE(left->channel_fd, -1),
				PEER_SUPERVISOR, child->kind, &child_channel_events, child);
		child_set_room(child);
	}
	if (rc >= 0 && left->pulse_fd >= 0) {
		rc = shm_adopt(left->pulse_fd, PULSE_SIZE, false, &child->pulse);
		if (rc == 0) {
			left->pulse_fd = -1;
			struct pulse_view view;
			pulse_look(child_pulse(child), &view);
			child->judge.poke = view.poked;
		}
	}
	return rc >= 0 ? resume(child) : rc;
}

static void close_left(struct child_left *left) {
	fd_release(&left->channel_fd);
	fd_release(&left->output_fd);
	fd_release(&left->pulse_fd);
	fd_release(&left->pidfd);
}

int child_adopt(struct nursery *nursery, struct child_left *left, const struct child_owner *owner,
		void *user, struct child **out) {
	struct child *child = calloc(1, sizeof(*child));
	if (!child) {
		close_left(left);
		return -ENOMEM;
	}
	*child = (struct child){
		.nursery = nursery,
		.kind = left->kind,
		.id = left->id,
		.pid = left->pid,
		.session = left->session,
		.view = left->view,
		.version = left->version,
		.channel.fd = -1,
		.pulse = SHM_NONE,
		.output_fd = -1,
		.pidfd = -1,
		.begun_ns = left->begun_ns,
		.hello = left->hello,
		.stopping = left->stopping,
		.killed = left->killed,
		.orders = left->orders,
		.adopted = true,
		.owner = owner,
		.user = user,
	};
	text_copy(child->name, sizeof(child->name), left->name);
	int rc = reattach(child, left);
	close_left(left);
	if (rc < 0) {
		log_error("adoption-failed", "worker=%u kind=%s pid=%d error=%s", child->id,
				ipc_peer_name(child->kind), child->pid,
				log_quote(strerror(-rc)).text);
		if (child->pidfd >= 0) {
			child_signal(child, SIGKILL);
		}
		child_free(child);
		return rc;
	}
	nursery_link(nursery, child);
	*out = child;
	return 0;
}
