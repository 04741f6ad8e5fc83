/* SPDX-License-Identifier: MIT */
#include "runner/adopted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include <systemd/sd-event.h>

#include "base/number.h"
#include "base/text.h"

static int pidfd_open(pid_t pid) {
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int handle_app_exit(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	(void)revents;
	struct adopted *adopted = (struct adopted *)user;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
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

bool adopted_has_label(pid_t pid, const char *label) {
	char path[48], wanted[64];
	text_format(path, sizeof(path), "/proc/%d/environ", (int)pid);
	text_format(wanted, sizeof(wanted), "PERIGEE_SESSION=%s", label);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	OWN(free) void *memory = malloc(ADOPTED_ENVIRON_MAX + 1);
	char *bytes = (char *)memory;
	size_t len = 0;
	while (fd >= 0 && bytes && len < ADOPTED_ENVIRON_MAX) {
		ssize_t n = read(fd, bytes + len, ADOPTED_ENVIRON_MAX - len);
		if (n <= 0) {
			break;
		}
		len += (size_t)n;
	}
	for (size_t at = 0; bytes && at < len; at += strlen(bytes + at) + 1) {
		bytes[len] = '\0';
		if (strcmp(bytes + at, wanted) == 0) {
			return true;
		}
	}
	return false;
}

/* A pidfd that was opened before the label was read means the same process. */
static bool meet(struct adopted *adopted, pid_t pid, int number) {
	OWN(fd_close) int pidfd = pidfd_open(pid);
	if (pidfd < 0 || !adopted_has_label(pid, adopted->label) ||
			syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0) < 0) {
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

unsigned adopted_signal(struct adopted *adopted, int number) {
	unwatch(adopted);
	DIR *processes = opendir("/proc");
	if (!processes) {
		return 0;
	}
	unsigned count = 0;
	for (struct dirent *at = readdir(processes); at; at = readdir(processes)) {
		int64_t pid;
		if (number_parse(at->d_name, strlen(at->d_name), 2, INT32_MAX, &pid) == 0 &&
				pid != getpid()) {
			count += meet(adopted, (pid_t)pid, number);
		}
	}
	closedir(processes);
	return count;
}
