/* SPDX-License-Identifier: MIT */
#include "supervisor/helper.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <unistd.h>

#include "base/spawning.h"

int helper_spawn(const char *file, const char *const *argv, const struct helper_fd *fds,
		size_t count, pid_t *out_pid) {
	static const char *const env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", NULL };
	pid_t pid = 0;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	spawn_clean(&attributes, true);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	for (size_t i = 0; i < count; i++) {
		if (fds[i].fd >= 0) {
			posix_spawn_file_actions_adddup2(&actions, fds[i].fd, fds[i].number);
		}
	}
	/* posix_spawn() does not write to the strings; its type predates const. */
	int rc = posix_spawn(&pid, file, &actions, &attributes, (char *const *)(uintptr_t)argv,
			(char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (rc == 0) {
		*out_pid = pid;
	}
	return -rc;
}
