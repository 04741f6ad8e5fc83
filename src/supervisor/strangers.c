/* SPDX-License-Identifier: MIT */
#include "supervisor/strangers.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/children.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/processes.h"
#include "base/text.h"
#include "supervisor/groups.h"
#include "supervisor/paths.h"
#include "supervisor/process.h"
#include "supervisor/supervisor.h"

enum {
	DEPTH_MAX = 8,
	NAME_MAX_LEN = 15, /* the kernel keeps no more of a program's name */
};

/* Programs that only a supervisor starts and watches. An app of ours may outlive the
 * runner that started it, and is no stranger. */
static const char *const workers[] = { "perigee-desktop", "perigee-encoder", "perigee-stream",
	"perigee-runner", "perigee-gate", "perigee-store", "perigee-facts", "perigee-discover",
	"perigee-art", "perigee-exec" };

static bool is_worker(pid_t pid) {
	char path[40], name[32] = "";
	text_format(path, sizeof(path), "/proc/%d/comm", (int)pid);
	OWN(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	for (size_t i = 0; len > 0 && i < ARRAY_LEN(workers); i++) {
		size_t known = strlen(workers[i]);
		known = known < NAME_MAX_LEN ? known : NAME_MAX_LEN;
		if ((size_t)len == known + 1 && memcmp(name, workers[i], known) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_in(const struct child *child, pid_t pid) {
	for (; child; child = child->next) {
		if (child->pid == pid) {
			return true;
		}
	}
	return false;
}

struct hunt {
	const struct nursery *nursery;
	unsigned depth, killed;
};

static void kill_tree(pid_t pid, void *user) {
	struct hunt *hunt = (struct hunt *)user;
	if (hunt->depth < DEPTH_MAX) {
		hunt->depth++;
		(void)!children_each(pid, kill_tree, hunt);
		hunt->depth--;
	}
	hunt->killed += kill(pid, SIGKILL) == 0;
}

static void consider(pid_t pid, void *user) {
	struct hunt *hunt = (struct hunt *)user;
	if (pid == getpid() || is_in(hunt->nursery->first, pid) ||
			is_in(hunt->nursery->corpses, pid) || !is_worker(pid)) {
		return;
	}
	log_warning("stranger", "pid=%d detail=\"left by a supervisor before this one\"", (int)pid);
	kill_tree(pid, hunt);
}

static int handle_look(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	struct hunt hunt = { .nursery = &supervisor->nursery };
	if (!supervisor->stopping) {
		(void)!children_each(getppid(), consider, &hunt);
		hunt.killed += groups_kill_strangers(supervisor);
	}
	if (hunt.killed) {
		log_warning("strangers-killed", "processes=%u", hunt.killed);
	}
	groups_sweep(supervisor);
	sd_event_source_set_time_relative(source, STRANGERS_AGAIN_MS * US_PER_MS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

/* Apps have an environment of their own; their session's folder still lies there. */
static unsigned end_apps(const struct paths *paths) {
	DIR *folder = opendir(paths->runtime);
	unsigned killed = 0;
	for (struct dirent *at; folder && (at = readdir(folder));) {
		char label[64];
		if (strncmp(at->d_name, "s-", 2) == 0 &&
				text_format(label, sizeof(label), "PERIGEE_SESSION=%s",
						at->d_name + 2)) {
			killed += processes_end(label, STRANGERS_END_MS);
		}
	}
	if (folder) {
		closedir(folder);
	}
	return killed;
}

void strangers_sweep(const struct paths *paths) {
	char label[SPAWN_LABEL_MAX];
	unsigned killed = end_apps(paths);
	if (spawn_label(paths, label, sizeof(label))) {
		killed += processes_end(label, STRANGERS_END_MS);
	}
	if (killed) {
		log_warning("left-ended",
				"processes=%u detail=\"a host with this runtime folder "
				"was killed\"",
				killed);
	}
}

/* Without a holder our parent is somebody else's: its children are no business of ours. */
int strangers_begin(struct supervisor *supervisor) {
	if (!keep_is_open(&supervisor->keep)) {
		return 0;
	}
	return sd_event_add_time_relative(supervisor->event, &supervisor->strangers,
			CLOCK_MONOTONIC, STRANGERS_FIRST_MS * US_PER_MS, 100 * US_PER_MS,
			handle_look, supervisor);
}

void strangers_finish(struct supervisor *supervisor) {
	supervisor->strangers = sd_event_source_disable_unref(supervisor->strangers);
}
