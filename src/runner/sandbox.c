/* SPDX-License-Identifier: MIT */
#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "ipc/pad.h"
#include "runner/command.h"

/* Read-only, in the same place; one that is not there is not missed. */
static const char *const system_folders[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64",
	"/libx32", "/etc", "/opt", "/nix", "/gnu", "/sys", "/var/cache/fontconfig", "/var/lib/xkb",
	"/var/lib/dbus" };

/* Drivers open these; everything else of /dev is a new one's. */
static const char *const device_patterns[] = { "/dev/dri", "/dev/nvidia*", "/dev/kfd" };

/* In the system, and yet not for an app. */
static const char *const emptied[] = { "/etc/perigee" };

static const char *const fixed[] = { "--unshare-user", "--unshare-ipc", "--unshare-pid",
	"--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL", "--tmpfs", "/tmp", "--tmpfs",
	"/run", "--tmpfs", "/var/tmp", "--proc", "/proc", "--dev", "/dev" };

static void wait_or_kill(pid_t pid, int *status) {
	OWN(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 || poll(&end, 1, SANDBOX_TRY_MS) != 1) {
		kill(pid, SIGKILL);
	}
	waitpid(pid, status, 0);
}

static int spawn_trial(int output, pid_t *pid) {
	static const char *const words[] = { "bwrap", "--unshare-user", "--unshare-pid",
		"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true",
		NULL };
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	int rc = posix_spawn(
			pid, SANDBOX_PROGRAM, &actions, NULL, (char **)(uintptr_t)words, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -rc;
}

int sandbox_try(char *out_why, size_t size) {
	int pair[2];
	if (access(SANDBOX_PROGRAM, X_OK) < 0) {
		text_format(out_why, size, "%s is missing: install the package bubblewrap",
				SANDBOX_PROGRAM);
		return -ENOENT;
	}
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
		return -errno;
	}
	OWN(fd_close) int reading = pair[0];
	OWN(fd_close) int writing = pair[1];
	pid_t pid = 0;
	int status = 0;
	int rc = spawn_trial(writing, &pid);
	if (rc < 0) {
		text_format(out_why, size, "%s: %s", SANDBOX_PROGRAM, strerror(-rc));
		return rc;
	}
	wait_or_kill(pid, &status);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	char said[200] = "";
	ssize_t n = read(reading, said, sizeof(said) - 1);
	said[n > 0 ? strcspn(said, "\n") : 0] = '\0';
	text_format(out_why, size, "%s", said[0] ? said : "bubblewrap did not finish in time");
	return -EPERM;
}

static void add_same(struct command *command, const char *option, const char *path) {
	if (path[0]) {
		command_add(command, option);
		command_add(command, path);
		command_add(command, path);
	}
}

static bool lies_in_system(const char *path) {
	for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
		size_t len = strlen(system_folders[i]);
		if (strncmp(path, system_folders[i], len) == 0 && path[len] == '/') {
			return true;
		}
	}
	return false;
}

static void add_devices(struct command *command) {
	for (size_t i = 0; i < ARRAY_LEN(device_patterns); i++) {
		glob_t found;
		if (glob(device_patterns[i], 0, NULL, &found) != 0) {
			continue;
		}
		for (size_t j = 0; j < found.gl_pathc; j++) {
			add_same(command, "--dev-bind-try",
					command_keep(command, "%s", found.gl_pathv[j]));
		}
		globfree(&found);
	}
}

/* Where names are resolved by somebody whose file is a link into /run. */
static void add_resolver(struct command *command) {
	char path[PATH_MAX];
	if (realpath("/etc/resolv.conf", path) && !lies_in_system(path)) {
		add_same(command, "--ro-bind-try", command_keep(command, "%s", path));
	}
}

static void add_programs(struct command *command, const struct command_place *place) {
	const char *folders = place->libexec ? place->libexec : "";
	while (*folders) {
		size_t len = strcspn(folders, ":");
		const char *folder = command_keep(command, "%.*s", (int)len, folders);
		if (!lies_in_system(folder)) {
			add_same(command, "--ro-bind-try", folder);
		}
		folders += len + (folders[len] == ':');
	}
	if (!lies_in_system(command->program)) {
		add_same(command, "--ro-bind-try", command->program);
	}
}

/* HOST:INSIDE[:ro|rw] */
static int add_mount(struct command *command, const char *text) {
	const char *inside = strchr(text, ':');
	size_t host_len = inside ? (size_t)(inside - text) : 0;
	inside = inside ? inside + 1 : "";
	size_t len = strcspn(inside, ":");
	const char *mode = inside[len] ? inside + len + 1 : "rw";
	bool writable = strcmp(mode, "rw") == 0;
	if (text[0] != '/' || inside[0] != '/' || (!writable && strcmp(mode, "ro") != 0)) {
		return -EINVAL;
	}
	command_add(command, writable ? "--bind" : "--ro-bind");
	command_add(command, command_keep(command, "%.*s", (int)host_len, text));
	command_add(command, command_keep(command, "%.*s", (int)len, inside));
	return 0;
}

/* The desktop's gamepads: their nodes as they come and go, and udev's records of them. Who
 * asks udev for new ones would not be told here, and shall look at the folder instead. */
static void add_pads(struct command *command, const char *folder) {
	command_add(command, "--dev-bind-try");
	command_add(command, command_keep(command, "%s/input", folder));
	command_add(command, "/dev/input");
	command_add(command, "--dev-bind-try");
	command_add(command, command_keep(command, "%s/raw", folder));
	command_add(command, PAD_RAW_FOLDER);
	for (int i = 0; i < PAD_RAW_MAX; i++) {
		command_add(command, "--symlink");
		command_add(command, command_keep(command, PAD_RAW_FOLDER "/hidraw%d", i));
		command_add(command, command_keep(command, "/dev/hidraw%d", i));
	}
	command_add(command, "--ro-bind-try");
	command_add(command, command_keep(command, "%s/udev", folder));
	command_add(command, "/run/udev");
	command_add(command, "--setenv");
	command_add(command, "SDL_JOYSTICK_DISABLE_UDEV");
	command_add(command, "1");
}

/* Words of the plan's list: mount=HOST:INSIDE..., pads=FOLDER; others are a container's. */
static int add_word(struct command *command, const char *text) {
	static const char mount[] = "mount=", pads[] = "pads=";
	if (strncmp(text, mount, sizeof(mount) - 1) == 0) {
		return add_mount(command, text + sizeof(mount) - 1);
	}
	if (strncmp(text, pads, sizeof(pads) - 1) == 0) {
		add_pads(command, text + sizeof(pads) - 1);
	}
	return 0;
}

static int add_list(struct command *command, const struct ipc_message *plan) {
	const char *list = plan->runner_plan.list;
	size_t left = plan->runner_plan.list_len;
	while (left > 0) {
		size_t len = strnlen(list, left);
		if (len == left) {
			return -EBADMSG;
		}
		int rc = add_word(command, list);
		if (rc < 0) {
			return rc;
		}
		list += len + 1;
		left -= len + 1;
	}
	return 0;
}

int sandbox_add(struct command *command, const struct ipc_message *plan,
		const struct command_place *place) {
	const struct ipc_message *start = &command->start;
	command_add(command, SANDBOX_PROGRAM);
	for (size_t i = 0; i < ARRAY_LEN(system_folders); i++) {
		add_same(command, "--ro-bind-try", system_folders[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(emptied); i++) {
		if (access(emptied[i], F_OK) == 0) {
			command_add(command, "--tmpfs");
			command_add(command, emptied[i]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		command_add(command, fixed[i]);
	}
	if (plan->runner_plan.network) {
		add_resolver(command);
	} else {
		command_add(command, "--unshare-net");
	}
	add_devices(command);
	add_programs(command, place);
	add_same(command, "--bind", start->runner_start.runtime);
	add_same(command, "--bind", start->runner_start.home);
	add_same(command, "--ro-bind-try", plan->runner_plan.display);
	int rc = add_list(command, plan);
	command_add(command, "--chdir");
	command_add(command, plan->runner_plan.folder[0] ? plan->runner_plan.folder
							 : start->runner_start.home);
	command_add(command, "--");
	return rc;
}
