/* SPDX-License-Identifier: MIT */
#include "supervisor/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/spawning.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "supervisor/cgroup.h"
#include "supervisor/child.h"
#include "supervisor/paths.h"
#include "supervisor/programs.h"
#include "supervisor/versions.h"

int spawn_find(const char *libexec, const char *program, char *out, size_t size) {
	if (program[0] == '/') {
		text_copy(out, size, program);
		return access(out, X_OK) == 0 ? 0 : -errno;
	}
	while (libexec && *libexec) {
		size_t len = strcspn(libexec, ":");
		if (text_format(out, size, "%.*s/%s", (int)len, libexec, program) &&
				access(out, X_OK) == 0) {
			return 0;
		}
		libexec += len + (libexec[len] == ':');
	}
	return -ENOENT;
}

enum {
	ENV_MAX = 16,
	PROGRAM_FD = 6, /* behind the channel, and behind what it gets when it has settled */
};

bool spawn_label(const struct paths *paths, char *out, size_t size) {
	return text_format(out, size, "PERIGEE_HOST=%s", paths->runtime);
}

int spawn_resolve(const struct nursery *nursery, const struct programs *programs,
		const char *program, struct spawn_way *out) {
	out->fd = programs ? programs_fd(programs, program) : -1;
	if (out->fd < 0) {
		int rc = spawn_find(programs ? programs->folders : nursery->libexec, program,
				out->name, sizeof(out->name));
		text_copy(out->file, sizeof(out->file), rc == 0 ? out->name : "");
		return rc;
	}
	text_format(out->file, sizeof(out->file), "/proc/self/fd/%d", out->fd);
	return programs_path(programs, program, out->name, sizeof(out->name));
}

struct command {
	const char *argv[CHILD_ARGS_MAX + 48];
	size_t count;
	char numbers[3][12];
	struct spawn_way exec, program;
	char cgroups[CGROUP_CONTROLLERS][CGROUP_PATH_MAX + 32];
	char runtime[CONFIG_PATH_MAX + 24], libexec[4096], homes[CONFIG_PATH_MAX + 8];
	char label[SPAWN_LABEL_MAX];
	const char *env[ENV_MAX];
};

static void add(struct command *command, const char *word) {
	command->argv[command->count++] = word;
}

static void add_pair(struct command *command, const char *option, const char *value) {
	if (value) {
		add(command, option);
		add(command, value);
	}
}

/* A kind with more than one calling has a row for each. */
static const char *row_name(const struct child_spec *spec) {
	bool sound = spec->kind == PEER_ENCODER && spec->args[0] &&
		     strcmp(spec->args[0], "sound") == 0;
	return spec->confine ? spec->confine : sound ? "encoder-sound" : ipc_peer_name(spec->kind);
}

/* Which row of the table holds, and what its paths with @ are. */
static void add_confinement(const struct nursery *nursery, const struct child_spec *spec,
		struct command *command) {
	const struct paths *paths = nursery->paths;
	if (!paths) {
		return;
	}
	add_pair(command, "--confine", row_name(spec));
	add_pair(command, "--at-state", paths->state);
	if (spec->session && text_format(command->runtime, sizeof(command->runtime), "%s/s-%016llx",
					     paths->runtime, (unsigned long long)spec->session)) {
		add_pair(command, "--at-runtime", command->runtime);
	}
	/* As glob(3) writes several folders. */
	if (text_format(command->libexec, sizeof(command->libexec), "{%s,}", nursery->libexec)) {
		for (char *at = command->libexec; (at = strchr(at, ':'));) {
			*at = ',';
		}
		add_pair(command, "--at-libexec", command->libexec);
	}
	add_pair(command, "--at-app", spec->app);
	add_pair(command, "--at-display", spec->display);
	add_pair(command, "--at-home", spec->home);
	if (nursery->veils && text_format(command->homes, sizeof(command->homes), "%s/homes",
					      paths->data)) {
		add_pair(command, "--hide", paths->state);
		add_pair(command, "--hide", command->homes);
		add_pair(command, "--hide", paths->runtime);
	}
	add_pair(command, "--landlock-closed", paths->state);
	add_pair(command, "--landlock-closed", paths->data);
	add_pair(command, "--landlock-closed", paths->runtime);
}

static void add_user(const struct nursery *nursery, struct command *command) {
	snprintf(command->numbers[0], sizeof(command->numbers[0]), "%u", nursery->uid);
	snprintf(command->numbers[1], sizeof(command->numbers[1]), "%u", nursery->gid);
	add(command, "--uid");
	add(command, command->numbers[0]);
	add(command, "--gid");
	add(command, command->numbers[1]);
}

static void add_cgroups(const struct nursery *nursery, const struct child_spec *spec,
		struct command *command) {
	for (int i = 0; nursery->cgroups && spec->session && i < CGROUP_CONTROLLERS; i++) {
		/* Version 1 gives a new group no real time at all. */
		bool clockwork =
				i == CGROUP_CPU && spec->realtime && nursery->cgroups->version == 1;
		if (!clockwork && cgroup_path(nursery->cgroups, spec->session,
						  (enum cgroup_controller)i, command->cgroups[i],
						  sizeof(command->cgroups[i]))) {
			add_pair(command, "--cgroup", command->cgroups[i]);
		}
	}
}

static int build(const struct nursery *nursery, const struct programs *programs,
		const struct child_spec *spec, struct command *command) {
	int rc = spawn_resolve(nursery, programs, "perigee-exec", &command->exec);
	if (rc == 0) {
		rc = spawn_resolve(nursery, programs, spec->program, &command->program);
	}
	if (rc < 0) {
		return rc;
	}
	add(command, command->exec.name);
	add(command, "--setsid");
	if (command->program.fd >= 0) {
		snprintf(command->numbers[2], sizeof(command->numbers[2]), "%d", PROGRAM_FD);
		add_pair(command, "--program-fd", command->numbers[2]);
	}
	if (nursery->uid) {
		add_user(nursery, command);
	}
	if (spec->listen_fd > 0) {
		add(command, "--listen-fds");
		add(command, "1");
	}
	if (spec->prompt) {
		add(command, "--prompt");
	}
	if (spec->realtime) {
		add(command, "--realtime");
	}
	if (spec->die_with_us) {
		add(command, "--die-with-parent");
	}
	add_confinement(nursery, spec, command);
	add_cgroups(nursery, spec, command);
	add(command, "--cwd");
	add(command, spec->cwd ? spec->cwd : "/");
	add(command, "--");
	add(command, command->program.name);
	for (size_t i = 0; spec->args[i]; i++) {
		add(command, spec->args[i]);
	}
	add(command, NULL);
	return 0;
}

/* A closed environment: nothing of whoever started us reaches a worker. In front stands
 * whose it is. */
static void build_env(const struct nursery *nursery, const struct child_spec *spec,
		struct command *command) {
	static const char *const usual[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
		NULL };
	const char *const *from = spec->env ? spec->env : usual;
	size_t count = 0;
	if (nursery->paths && spawn_label(nursery->paths, command->label, sizeof(command->label))) {
		command->env[count++] = command->label;
	}
	for (; *from && count < ENV_MAX - 1; from++) {
		command->env[count++] = *from;
	}
	command->env[count] = NULL;
}

static int run(const struct command *command, int fd3, int output, pid_t *out_pid) {
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	spawn_clean(&attributes, false);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (fd3 >= 0) {
		posix_spawn_file_actions_adddup2(&actions, fd3, 3);
	}
	if (command->program.fd >= 0) {
		posix_spawn_file_actions_adddup2(&actions, command->program.fd, PROGRAM_FD);
	}
	/* posix_spawn() does not write to the strings; its type predates const. */
	int rc = posix_spawn(out_pid, command->exec.file, &actions, &attributes,
			(char *const *)(uintptr_t)command->argv,
			(char *const *)(uintptr_t)command->env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -rc;
}

/* dup2 onto itself would leave CLOEXEC set: keep what is handed over off fd 3. */
static int off_three(int fd) {
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	return moved < 0 ? -errno : moved;
}

int spawn_worker(const struct nursery *nursery, const struct programs *programs,
		const struct child_spec *spec, struct spawned *out) {
	struct command command = { .count = 0 };
	int rc = build(nursery, programs, spec, &command);
	if (rc < 0) {
		return rc;
	}
	int pair[2] = { -1, -1 }, output[2];
	if (pipe2(output, O_CLOEXEC) < 0) {
		return -errno;
	}
	OWN(fd_close) int output_read = output[0];
	OWN(fd_close) int output_write = output[1];
	/* The reader never blocks; nor may a worker when we are slow to read. */
	fcntl(output_read, F_SETFL, O_NONBLOCK);
	fcntl(output_write, F_SETFL, O_NONBLOCK);
	bool with_channel = !spec->no_channel && spec->listen_fd <= 0;
	if (with_channel && (rc = channel_pair(pair)) < 0) {
		return rc;
	}
	OWN(fd_close) int ours = pair[0];
	OWN(fd_close) int theirs = pair[1];
	OWN(fd_close) int third = -1;
	if (with_channel || spec->listen_fd > 0) {
		third = off_three(with_channel ? theirs : spec->listen_fd);
		if (third < 0) {
			return third;
		}
	}
	pid_t pid;
	build_env(nursery, spec, &command);
	rc = run(&command, third, output_write, &pid);
	if (rc < 0) {
		return rc;
	}
	*out = (struct spawned){
		.pid = pid,
		.channel_fd = TAKE(ours, -1),
		.output_fd = TAKE(output_read, -1),
	};
	return 0;
}

int spawn_log(const struct nursery *nursery, const char *file, int input, int console) {
	struct spawn_way way;
	int rc = spawn_resolve(nursery, versions_for(nursery, 0), "perigee-log", &way);
	if (rc < 0) {
		return rc;
	}
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, console, STDERR_FILENO);
	/* A person at a terminal wants the banner and what is wrong; all is in the file. */
	bool quiet = isatty(console) && nursery->log_level < LOG_LEVEL_DEBUG;
	const char *const argv[] = { way.name, "--file", file, "--console",
		quiet ? "warning" : "debug", NULL };
	char stream[64];
	const char *journal = getenv("JOURNAL_STREAM");
	bool named = journal && text_format(stream, sizeof(stream), "JOURNAL_STREAM=%s", journal);
	const char *const env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", named ? stream : NULL,
		NULL };
	pid_t pid;
	rc = posix_spawn(&pid, way.file, &actions, &attributes, (char *const *)(uintptr_t)argv,
			(char *const *)(uintptr_t)env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return -rc;
}
