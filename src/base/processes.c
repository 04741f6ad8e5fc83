/* SPDX-License-Identifier: MIT */
#include "base/processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

enum {
	ENVIRON_MAX = 128 << 10, /* bytes of a process that are searched */
	ENDED_MAX = 64,          /* so many are waited for */
};

int processes_each(void (*each)(pid_t pid, void *user), void *user) {
	DIR *processes = opendir("/proc");
	if (!processes) {
		return -errno;
	}
	for (struct dirent *at = readdir(processes); at; at = readdir(processes)) {
		int64_t pid;
		if (number_parse(at->d_name, strlen(at->d_name), 2, INT32_MAX, &pid) == 0 &&
				pid != getpid() && pid != getppid()) {
			each((pid_t)pid, user);
		}
	}
	closedir(processes);
	return 0;
}

bool process_has_variable(pid_t pid, const char *variable) {
	char path[48];
	text_format(path, sizeof(path), "/proc/%d/environ", (int)pid);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	OWN(free) void *memory = malloc(ENVIRON_MAX + 1);
	char *bytes = (char *)memory;
	size_t len = 0;
	while (fd >= 0 && bytes && len < ENVIRON_MAX) {
		ssize_t n = read(fd, bytes + len, ENVIRON_MAX - len);
		if (n <= 0) {
			break;
		}
		len += (size_t)n;
	}
	for (size_t at = 0; bytes && at < len; at += strlen(bytes + at) + 1) {
		bytes[len] = '\0';
		if (strcmp(bytes + at, variable) == 0) {
			return true;
		}
	}
	return false;
}

struct signalling {
	const char *variable;
	int number;
	unsigned count, kept;
	int pidfd[ENDED_MAX]; /* owned: of those that are waited for */
};

/* A pidfd that was opened before the variable was read means the same process. */
static void signal_one(pid_t pid, void *user) {
	struct signalling *signalling = (struct signalling *)user;
	OWN(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0 && process_has_variable(pid, signalling->variable)) {
		signalling->count += syscall(SYS_pidfd_send_signal, pidfd, signalling->number, NULL,
						     0) == 0;
		if (signalling->number == SIGKILL && signalling->kept < ENDED_MAX) {
			signalling->pidfd[signalling->kept++] = TAKE(pidfd, -1);
		}
	}
}

static unsigned signal_all(const char *variable, int number, unsigned wait_ms) {
	struct signalling signalling = { .variable = variable, .number = number };
	(void)!processes_each(signal_one, &signalling);
	uint64_t until_ms = clock_now_ms() + wait_ms;
	for (unsigned i = 0; i < signalling.kept; i++) {
		uint64_t now_ms = clock_now_ms();
		struct pollfd wait = { .fd = signalling.pidfd[i], .events = POLLIN };
		if (wait_ms > 0) {
			(void)!poll(&wait, 1, now_ms < until_ms ? (int)(until_ms - now_ms) : 0);
		}
		fd_close(signalling.pidfd[i]);
	}
	return signalling.count;
}

unsigned processes_signal(const char *variable, int number) {
	return signal_all(variable, number, 0);
}

unsigned processes_end(const char *variable, unsigned wait_ms) {
	return signal_all(variable, SIGKILL, wait_ms);
}
