/* SPDX-License-Identifier: MIT */
#include "supervisor/own_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "supervisor/process.h"
#include "supervisor/supervisor.h"

static int handle_own_lines(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)revents;
	struct supervisor *supervisor = (struct supervisor *)user;
	struct journal_source from = { PEER_SUPERVISOR, getpid(), 0 };
	char bytes[4096];
	ssize_t len;
	while ((len = read(fd, bytes, sizeof(bytes))) > 0) {
		journal_feed(&supervisor->journal, &supervisor->own_lines, &from, bytes,
				(size_t)len, clock_now_ms());
	}
	return 0;
}

/* Our own lines take the way of everybody's: a pipe that comes back to us. */
static int redirect_stderr(struct supervisor *supervisor) {
	int pipe_fds[2];
	supervisor->terminal_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	if (supervisor->terminal_fd < 0 || pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	/* Where stderr is a file, the log and we write to it in turns. */
	fcntl(supervisor->terminal_fd, F_SETFL, fcntl(supervisor->terminal_fd, F_GETFL) | O_APPEND);
	supervisor->own_lines_fd = pipe_fds[0];
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	return sd_event_add_io(supervisor->event, &supervisor->sources[2], pipe_fds[0], EPOLLIN,
			handle_own_lines, supervisor);
}

/* perigee-log ends when the pipe's last writer is gone: it is no worker, so that
 * it can write down the very last line. */
static int start_log(struct supervisor *supervisor, int *out_fd) {
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	OWN(fd_close) int read_end = pipe_fds[0];
	*out_fd = pipe_fds[1];
	fcntl(pipe_fds[1], F_SETFL, O_NONBLOCK);
	fcntl(pipe_fds[1], F_SETPIPE_SZ, 1 << 20);
	return spawn_log(&supervisor->nursery, supervisor->paths.log, read_end,
			supervisor->terminal_fd);
}

int own_log_open(struct supervisor *supervisor) {
	supervisor->journal.fd = keep_take(&supervisor->keep, "log");
	int rc = redirect_stderr(supervisor);
	if (rc >= 0 && supervisor->journal.fd < 0) {
		rc = start_log(supervisor, &supervisor->journal.fd);
	}
	log_info("supervisor-start", "version=%s pid=%d", perigee_version(), getpid());
	return rc;
}

void own_log_renew(struct supervisor *supervisor) {
	int fd = -1;
	int rc = start_log(supervisor, &fd);
	if (rc < 0) {
		log_error("log-not-renewed", "error=%s", log_quote(strerror(-rc)).text);
		fd_close(fd);
		return;
	}
	keep_put(&supervisor->keep, fd, "log");
	fd_close(TAKE(supervisor->journal.fd, fd));
}

void own_log_drain(struct supervisor *supervisor) {
	if (supervisor->own_lines_fd >= 0) {
		handle_own_lines(NULL, supervisor->own_lines_fd, 0, supervisor);
	}
}
