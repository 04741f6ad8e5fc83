/* SPDX-License-Identifier: MIT */
#include "supervisor/upgrade_check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spawning.h"
#include "base/text.h"
#include "base/version.h"
#include "supervisor/compat.h"
#include "supervisor/process.h"
#include "supervisor/supervisor.h"

enum {
	ARGS_MAX = 128,
	ANSWER_MAX = 400,
};

static const char greeting[] = "perigee ";

int upgrade_check_answer(int argc, char **argv, const char *facts) {
	struct config config;
	struct config_text error = { "" };
	int rc = compat_judge(facts, error.text, sizeof(error.text));
	if (rc == 0) {
		rc = config_load(argc, argv, &config, &error);
	}
	if (rc == 0) {
		config_finish(&config);
		printf("%s%s\n", greeting, perigee_version());
	} else {
		printf("%s\n", error.text[0] ? error.text : strerror(-rc));
	}
	fflush(NULL);
	return rc == 0 ? 0 : 1;
}

/* ---- which ---- */

static bool lies_in(const char *path, const char *folder) {
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int find_folders(const struct supervisor *supervisor, const char *from, char *out,
		size_t size, struct config_text *error) {
	const struct paths *paths = &supervisor->paths;
	char at[CONFIG_PATH_MAX + 128];
	if (!from[0]) {
		text_copy(out, size, supervisor->versions.current->folders);
		return 0;
	}
	if (from[0] != '/' || strchr(from, ':') || strstr(from, "/../")) {
		return config_refuse(error, "Name the folder by its full path, without \":\".");
	}
	if (lies_in(from, paths->state) || lies_in(from, paths->data) ||
			lies_in(from, paths->runtime)) {
		return config_refuse(error, "Programs are not taken from Perigee's own folders.");
	}
	text_format(at, sizeof(at), "%.250s/libexec/perigee/perigeed", from);
	if (access(at, X_OK) == 0) {
		text_format(out, size, "%.250s/libexec/perigee:%.250s/bin", from, from);
		return 0;
	}
	text_format(at, sizeof(at), "%.250s/perigeed", from);
	if (access(at, X_OK) == 0) {
		text_copy(out, size, from);
		return 0;
	}
	return config_refuse(
			error, "There is no perigeed in %.250s, nor in its libexec/perigee.", from);
}

static bool is_same_file(int a, int b) {
	struct stat one, other;
	return (a < 0 && b < 0) ||
	       (a >= 0 && b >= 0 && fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
			       one.st_dev == other.st_dev && one.st_ino == other.st_ino);
}

static bool is_what_runs(const struct programs *candidate, const struct programs *current) {
	bool same = true;
	for (size_t i = 0; programs_name(i); i++) {
		same &= is_same_file(candidate->fd[i], current->fd[i]);
	}
	return same;
}

static int open_candidate(
		struct supervisor *supervisor, const char *from, struct config_text *error) {
	struct programs *candidate = &supervisor->upgrade.candidate;
	const struct programs *current = supervisor->versions.current;
	char folders[PROGRAMS_FOLDERS_MAX];
	int rc = find_folders(supervisor, from, folders, sizeof(folders), error);
	if (rc < 0) {
		return rc;
	}
	rc = programs_open(folders, candidate);
	if (rc < 0) {
		return config_refuse(error, "Perigee's programs are not all in %.300s: %s", folders,
				strerror(-rc));
	}
	if (is_what_runs(candidate, current)) {
		return config_refuse(error,
				"Nothing to do: %.300s has the programs of version %s "
				"that run already.",
				folders, current->version);
	}
	return from[0] ? programs_check_owner(candidate, geteuid(), error) : 0;
}

/* ---- asked ---- */

static void forget(struct upgrade *upgrade) {
	upgrade->exit = sd_event_source_disable_unref(upgrade->exit);
	upgrade->overdue = sd_event_source_disable_unref(upgrade->overdue);
	fd_release(&upgrade->output_fd);
	upgrade->pid = 0;
}

static void read_answer(const struct upgrade *upgrade, char *out, size_t size) {
	ssize_t len = read(upgrade->output_fd, out, size - 1);
	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	for (char *at = out; *at; at++) {
		*at = (unsigned char)*at < 0x20 ? '?' : *at;
	}
}

static int handle_exit(sd_event_source *source, const siginfo_t *info, void *user) {
	(void)source;
	struct supervisor *supervisor = (struct supervisor *)user;
	struct upgrade *upgrade = &supervisor->upgrade;
	char text[ANSWER_MAX], words[ANSWER_MAX + 100];
	read_answer(upgrade, text, sizeof(text));
	forget(upgrade);
	size_t skip = sizeof(greeting) - 1;
	if (info->si_code == CLD_EXITED && info->si_status == 0 &&
			strncmp(text, greeting, skip) == 0 && text[skip]) {
		text_copy(upgrade->candidate.version, sizeof(upgrade->candidate.version),
				text + skip);
		upgrade_check_ended(supervisor, NULL);
		return 0;
	}
	text_format(words, sizeof(words), "The new version says that it cannot: %s%s",
			text[0] ? text : "nothing, and ended",
			info->si_code == CLD_EXITED ? "" : " (by a signal)");
	upgrade_check_ended(supervisor, words);
	return 0;
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct supervisor *supervisor = (struct supervisor *)user;
	struct upgrade *upgrade = &supervisor->upgrade;
	kill(upgrade->pid, SIGKILL);
	waitpid(upgrade->pid, NULL, 0);
	forget(upgrade);
	upgrade_check_ended(supervisor, "The new version does not say in time whether it can.");
	return 0;
}

static int spawn(struct supervisor *supervisor, const struct spawn_way *way, int output) {
	const char *argv[ARGS_MAX + 4] = { way->name };
	char facts[COMPAT_FACTS_MAX];
	size_t count = 1;
	for (char **at = supervisor->argv + 1; *at && count < ARGS_MAX; at++) {
		argv[count++] = *at;
	}
	compat_facts(facts, sizeof(facts));
	argv[count++] = "--takes-over";
	argv[count++] = facts;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	spawn_clean(&attributes, true);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	/* posix_spawn() does not write to the strings; its type predates const. */
	int rc = posix_spawn(&supervisor->upgrade.pid, way->file, &actions, &attributes,
			(char *const *)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -rc;
}

static int watch(struct supervisor *supervisor) {
	struct upgrade *upgrade = &supervisor->upgrade;
	int rc = sd_event_add_child(supervisor->event, &upgrade->exit, upgrade->pid, WEXITED,
			handle_exit, supervisor);
	if (rc >= 0) {
		rc = sd_event_add_time_relative(supervisor->event, &upgrade->overdue,
				CLOCK_MONOTONIC, UPGRADE_CHECK_MS * US_PER_MS, 1000, handle_overdue,
				supervisor);
	}
	if (rc < 0) {
		kill(upgrade->pid, SIGKILL);
		waitpid(upgrade->pid, NULL, 0);
		forget(upgrade);
	}
	return rc;
}

int upgrade_check_begin(
		struct supervisor *supervisor, const char *from, struct config_text *error) {
	struct upgrade *upgrade = &supervisor->upgrade;
	int pipe_fds[2];
	struct spawn_way way;
	int rc = open_candidate(supervisor, from, error);
	if (rc < 0) {
		return rc;
	}
	rc = spawn_resolve(&supervisor->nursery, &upgrade->candidate, "perigeed", &way);
	if (rc == 0 && pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		rc = -errno;
	}
	if (rc == 0) {
		upgrade->output_fd = pipe_fds[0];
		rc = spawn(supervisor, &way, pipe_fds[1]);
		fd_close(pipe_fds[1]);
	}
	rc = rc < 0 ? rc : watch(supervisor);
	if (rc < 0) {
		fd_release(&upgrade->output_fd);
		return config_refuse(error, "The new version cannot be asked: %s", strerror(-rc));
	}
	return 0;
}
