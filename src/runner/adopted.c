/* SPDX-License-Identifier: MIT */
#include "runner/adopted.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <systemd/sd-event.h>

#include "base/processes.h"
#include "base/text.h"

static int pidfd_open(pid_t pid) {
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool signal_one(int pidfd, int number) {
	return syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) == 0;
}

static int handle_app_exit(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	(void)revents;
	struct adopted *adopted = (struct adopted *)user;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	adopted->ended = true;
	adopted->app_exited(adopted->user);
	return 0;
}

static int handle_exit(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	(void)revents;
	struct adopted *adopted = (struct adopted *)user;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	adopted->changed(adopted->user);
	return 0;
}

int adopted_open(struct adopted *adopted, struct sd_event *event, const char *label, int pidfd,
		void *user) {
	adopted->event = event;
	adopted->pidfd = pidfd;
	adopted->user = user;
	text_copy(adopted->label, sizeof(adopted->label), label);
	int rc = sd_event_add_io(event, &adopted->exits, pidfd, EPOLLIN, handle_app_exit, adopted);
	return rc < 0 ? rc : 0;
}

static void unwatch(struct adopted *adopted) {
	while (adopted->watched_count > 0) {
		adopted->watched_count--;
		sd_event_source_disable_unref(adopted->watched[adopted->watched_count].exits);
		fd_close(adopted->watched[adopted->watched_count].pidfd);
	}
}

void adopted_finish(struct adopted *adopted) {
	if (!adopted->event) {
		return;
	}
	unwatch(adopted);
	adopted->exits = sd_event_source_disable_unref(adopted->exits);
	fd_release(&adopted->pidfd);
	adopted->event = NULL;
}

static bool has_label(pid_t pid, const char *label) {
	char wanted[64];
	text_format(wanted, sizeof(wanted), "PERIGEE_SESSION=%s", label);
	return process_has_variable(pid, wanted);
}

/* A pidfd that was opened before the label was read means the same process. */
static bool meet(struct adopted *adopted, pid_t pid, int number) {
	OWN(fd_close) int pidfd = pidfd_open(pid);
	if (pidfd < 0 || !has_label(pid, adopted->label) || !signal_one(pidfd, number)) {
		return false;
	}
	if (adopted->watched_count < ADOPTED_WATCHED_MAX) {
		sd_event_source **exits = &adopted->watched[adopted->watched_count].exits;
		if (sd_event_add_io(adopted->event, exits, pidfd, EPOLLIN, handle_exit, adopted) >=
				0) {
			adopted->watched[adopted->watched_count++].pidfd = TAKE(pidfd, -1);
		}
	}
	return true;
}

struct calling {
	struct adopted *adopted;
	int number;
	unsigned count;
};

static void call(pid_t pid, void *user) {
	struct calling *calling = (struct calling *)user;
	calling->count += meet(calling->adopted, pid, calling->number);
}

unsigned adopted_signal(struct adopted *adopted, int number) {
	struct calling calling = { .adopted = adopted, .number = number };
	unwatch(adopted);
	/* The label may be hidden from us: Landlock shows a process's environment only to
	 * whoever confined it. */
	calling.count += !adopted->ended && signal_one(adopted->pidfd, number);
	(void)!processes_each(call, &calling);
	return calling.count;
}
