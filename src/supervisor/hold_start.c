/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "base/log.h"
#include "base/spawning.h"
#include "base/text.h"
#include "ipc/worker.h"
#include "supervisor/hold_inside.h"

/* How the holder starts a perigeed, and which. */

/* perigeed is started with our own arguments, the channel as fd 3, in a process
 * group of its own: Ctrl-C reaches us, and we pass it on in order. */
static int spawn(struct hold *hold, int channel) {
	char name[48], path[32];
	text_format(name, sizeof(name), "v%u.perigeed", hold->version);
	int held = hold_find(hold, name);
	text_format(path, sizeof(path), "/proc/self/fd/%d", held);
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	spawn_clean(&attributes, true);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, channel, WORKER_CHANNEL_FD);
	int rc = posix_spawn(&hold->perigeed, held >= 0 ? path : hold->path, &actions, &attributes,
			hold->argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (rc != 0) {
		hold->perigeed = 0;
	}
	return -rc;
}

/* The lock of the state folder lies here, and whoever takes over uses it on. A version that
 * does not know of that locks anew. */
static void unlock_state(const struct hold *hold) {
	int fd = hold_find(hold, "state");
	if (fd >= 0 && (hold->back || hold->failed)) {
		(void)!flock(fd, LOCK_UN);
	}
}

int hold_start(struct hold *hold, const struct channel_events *events) {
	int pair[2] = { -1, -1 };
	unlock_state(hold);
	int rc = channel_pair(pair);
	OWN(fd_close) int theirs = pair[1];
	if (rc == 0) {
		rc = channel_open(&hold->channel, hold->event, pair[0], PEER_HOLDER,
				PEER_SUPERVISOR, events, hold);
	}
	/* Whether it hangs is seen by its answers. */
	hold->channel.drain_ms = FIRST_ANSWER_MS;
	if (rc == 0) {
		rc = spawn(hold, theirs);
	}
	if (rc < 0) {
		log_error("perigeed-missing", "path=%s version=%u error=%s",
				log_quote(hold->path).text, hold->version,
				log_quote(strerror(-rc)).text);
		channel_close(&hold->channel);
	}
	return rc;
}

void hold_find_perigeed(struct hold *hold) {
	const char *folders = "";
	for (char **at = hold->argv + 1; *at; at++) {
		if (strcmp(*at, "--libexec") == 0 && at[1]) {
			folders = at[1];
		} else if (strncmp(*at, "--libexec=", 10) == 0) {
			folders = *at + 10;
		}
	}
	while (*folders) {
		size_t len = strcspn(folders, ":");
		text_format(hold->path, sizeof(hold->path), "%.*s/perigeed", (int)len, folders);
		if (access(hold->path, X_OK) == 0) {
			return;
		}
		folders += len + (folders[len] == ':');
	}
	char self[PATH_MAX] = "";
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash = len > 0 ? strrchr(self, '/') : NULL;
	if (slash) {
		*slash = '\0';
	}
	text_format(hold->path, sizeof(hold->path), "%s/perigeed", self);
}
