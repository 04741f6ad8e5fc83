/* SPDX-License-Identifier: MIT */
#include "runner/app.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ipc/message.h"
#include "runner/command.h"

enum {
	PIPE_BYTES = 1 << 20,
	GATE_FD = 3, /* as perigee-exec has it */
};

int app_make_home(const struct ipc_message *start) {
	const char *home = start->runner_start.home;
	char path[256];
	text_copy(path, sizeof(path), home);
	for (char *slash = path[0] ? strchr(path + 1, '/') : NULL; slash;
			slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755); /* one that fails shows in the last */
		*slash = '/';
	}
	if (!home[0] || (mkdir(home, 0700) < 0 && errno == EEXIST)) {
		return 0;
	}
	struct stat status;
	if (stat(home, &status) < 0) {
		return -errno;
	}
	uint32_t uid = start->runner_start.uid, gid = start->runner_start.gid;
	return uid && chown(home, uid, gid) < 0 ? -errno : 0;
}

int app_open_pipe(int out[2]) {
	int pair[2];
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	char path[48];
	text_format(path, sizeof(path), "/proc/self/fd/%d", pair[1]);
	int both = open(path, O_RDWR | O_CLOEXEC);
	if (both >= 0) {
		close(pair[1]);
		pair[1] = both;
	} else {
		fcntl(pair[1], F_SETFL, 0);
	}
	fcntl(pair[0], F_SETPIPE_SZ, PIPE_BYTES);
	out[0] = pair[0];
	out[1] = pair[1];
	return 0;
}

int app_spawn(const char *exec, const struct command *command, int output, int gate,
		pid_t *out_pid) {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	posix_spawn_file_actions_adddup2(&actions, gate, GATE_FD);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID);
	int rc = posix_spawn(
			out_pid, exec, &actions, &attr, (char **)(uintptr_t)command->args, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}
