/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "base/number.h"
#include "base/own.h"
#include "base/text.h"
#include "cli/doctor.h"

enum {
	MEMORY_NEEDED_MB = 250, /* what a session takes, and a little */
	MEMORY_WANTED_MB = 1000,
	DISK_NEEDED_MB = 20,
	DISK_WANTED_MB = 500,
	FILES_NEEDED = 1024,
	FILES_WANTED = 16384,
	SANDBOX_S = 3,
};

static void try_memory(struct doctor *doctor) {
	OWN(file_close) FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	int64_t free_kb = -1;
	while (file && fgets(line, sizeof(line), file)) {
		static const char key[] = "MemAvailable:";
		if (strncmp(line, key, sizeof(key) - 1) == 0) {
			const char *at = line + sizeof(key) - 1;
			at += strspn(at, " ");
			(void)!number_parse(at, strspn(at, "0123456789"), 0, INT64_MAX, &free_kb);
		}
	}
	int64_t mb = free_kb / 1024;
	doctor_add(doctor, "memory",
			free_kb < 0             ? DOCTOR_UNKNOWN
			: mb < MEMORY_NEEDED_MB ? DOCTOR_FAILS
			: mb < MEMORY_WANTED_MB ? DOCTOR_POOR
						: DOCTOR_WORKS,
			"End other programs, or give the machine more memory.",
			"%lld MiB are available; a session takes about 120 MiB", (long long)mb);
}

static void try_files(struct doctor *doctor) {
	struct rlimit limit = { 0 };
	getrlimit(RLIMIT_NOFILE, &limit);
	doctor_add(doctor, "file limit",
			limit.rlim_max < FILES_NEEDED   ? DOCTOR_FAILS
			: limit.rlim_max < FILES_WANTED ? DOCTOR_POOR
							: DOCTOR_WORKS,
			"Raise the hard limit of open files (LimitNOFILE= in the unit, ulimit "
			"-Hn).",
			"%llu files may be open at once", (unsigned long long)limit.rlim_max);
}

static void try_landlock(struct doctor *doctor) {
	long version = syscall(
			SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	doctor_add(doctor, "landlock", version > 0 ? DOCTOR_WORKS : DOCTOR_POOR,
			"Boot a kernel with Landlock (5.13 or newer, lsm=...,landlock): without it "
			"apps of one user can read each other's files.",
			version > 0 ? "apps and workers are confined to their files (version %ld)"
				    : "the kernel has none (%ld)",
			version);
}

static void try_seccomp(struct doctor *doctor) {
	bool there = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 &&
		     access("/proc/sys/kernel/seccomp/actions_avail", F_OK) == 0;
	doctor_add(doctor, "seccomp", there ? DOCTOR_WORKS : DOCTOR_POOR,
			"Use a kernel with CONFIG_SECCOMP_FILTER.",
			there ? "system calls can be filtered" : "the kernel has no filters");
}

static void try_uinput(struct doctor *doctor) {
	OWN(fd_close) int fd = open("/dev/uinput", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	doctor_add(doctor, "uinput", fd >= 0 ? DOCTOR_WORKS : DOCTOR_POOR,
			"Only gamepads need it: modprobe uinput, and let Perigee's user write it.",
			fd >= 0 ? "/dev/uinput can be used for clients' gamepads"
				: "/dev/uinput: %s; clients' gamepads do nothing",
			strerror(errno));
}

static void try_uhid(struct doctor *doctor) {
	OWN(fd_close) int fd = open("/dev/uhid", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	doctor_add(doctor, "uhid", fd >= 0 ? DOCTOR_WORKS : DOCTOR_POOR,
			"Only PlayStation pads need it: modprobe uhid hid-playstation, and let "
			"Perigee's user write it.",
			fd >= 0 ? "/dev/uhid can be used for PlayStation pads, with touchpad, "
				  "motion and light"
				: "/dev/uhid: %s; PlayStation pads have buttons, sticks and rumble",
			strerror(errno));
}

/* One where nobody looks for it. */
static void try_nodes(struct doctor *doctor) {
	static const char path[] = "/dev/perigee-doctor";
	bool made = mknod(path, S_IFCHR | 0600, makedev(1, 3)) == 0;
	int error = errno;
	OWN(fd_close) int fd = made ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	error = made && fd < 0 ? errno : error;
	if (made) {
		unlink(path);
	}
	doctor_add(doctor, "pad-nodes", fd >= 0 ? DOCTOR_WORKS : DOCTOR_POOR,
			"Only gamepads in sandboxes and containers need it: start Perigee as root, "
			"with CAP_MKNOD and a /dev that it may write.",
			fd >= 0 ? "apps in sandboxes and containers get their gamepads' device "
				  "nodes"
				: "no device nodes can be made in /dev: %s; apps in sandboxes and "
				  "containers see no gamepads",
			strerror(error));
}

/* One with nothing in it; the alarm survives execv() and is the deadline. */
static int make_sandbox(void) {
	static const char *const words[] = { "bwrap", "--unshare-user", "--unshare-pid",
		"--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/bin/true",
		NULL };
	pid_t pid = fork();
	if (pid == 0) {
		OWN(fd_close) int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(nowhere, STDERR_FILENO);
		alarm(SANDBOX_S);
		execv("/usr/bin/bwrap", (char **)(uintptr_t)words);
		_exit(127);
	}
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static void try_sandbox(struct doctor *doctor) {
	bool there = access("/usr/bin/bwrap", X_OK) == 0;
	bool works = there && make_sandbox() == 0;
	doctor_add(doctor, "sandbox", works ? DOCTOR_WORKS : DOCTOR_POOR,
			there ? "Allow user namespaces (sysctl user.max_user_namespaces, "
				"kernel.apparmor_restrict_unprivileged_userns, RestrictNamespaces= "
				"of the unit): without sandboxes apps are only confined."
			      : "Install the package bubblewrap: without it apps are only "
				"confined.",
			works   ? "apps can be put into a sandbox"
			: there ? "bubblewrap cannot make one here"
				: "/usr/bin/bwrap is missing");
}

static void try_cgroup(struct doctor *doctor) {
	struct statfs fs;
	bool there = statfs("/sys/fs/cgroup", &fs) == 0;
	bool second = there && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
	bool writable = access("/sys/fs/cgroup", W_OK) == 0;
	doctor_add(doctor, "cgroup", there && writable ? DOCTOR_WORKS : DOCTOR_POOR,
			"Run Perigee as a service (Delegate=yes in its unit): then each session "
			"gets "
			"its share and its limit.",
			"%s%s",
			!there   ? "none is mounted"
			: second ? "version 2"
				 : "version 1",
			there && !writable ? ", not for us to divide" : "");
}

static void try_render_node(struct doctor *doctor) {
	DIR *folder = opendir("/dev/dri");
	char found[64] = "";
	bool usable = false;
	for (struct dirent *entry; folder && !usable && (entry = readdir(folder));) {
		char path[300];
		if (strncmp(entry->d_name, "renderD", 7) != 0) {
			continue;
		}
		text_format(path, sizeof(path), "/dev/dri/%s", entry->d_name);
		text_copy(found, sizeof(found), path);
		usable = access(path, R_OK | W_OK) == 0;
	}
	if (folder) {
		closedir(folder);
	}
	if (!found[0]) {
		doctor_add(doctor, "render node", DOCTOR_POOR, NULL,
				"/dev/dri has none: desktops are drawn by the processor");
		return;
	}
	doctor_add(doctor, "render node", usable ? DOCTOR_WORKS : DOCTOR_POOR,
			"Add Perigee's user to the group that owns it (render, mostly).", "%s%s",
			found, usable ? "" : " is not for us: desktops are drawn by the processor");
}

static void try_folder(struct doctor *doctor, const char *name, const char *path) {
	struct statvfs fs;
	char nearest[256];
	text_copy(nearest, sizeof(nearest), path);
	/* What is not made yet will be in the nearest folder above. */
	while (statvfs(nearest, &fs) < 0) {
		char *slash = strrchr(nearest, '/');
		if (!slash || slash == nearest) {
			doctor_add(doctor, name, DOCTOR_UNKNOWN, NULL, "%s: %s", path,
					strerror(errno));
			return;
		}
		*slash = '\0';
	}
	unsigned long long mb = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	doctor_add(doctor, name,
			mb < DISK_NEEDED_MB   ? DOCTOR_FAILS
			: mb < DISK_WANTED_MB ? DOCTOR_POOR
					      : DOCTOR_WORKS,
			"Make room on that disk.", "%s: %llu MiB free", path, mb);
}

static void try_folders(struct doctor *doctor) {
	static const struct {
		const char *name, *root, *variable, *below;
	} usual[] = {
		{ "disk: state", "/var/lib/perigee", "XDG_STATE_HOME", ".local/state" },
		{ "disk: homes", "/var/lib/perigee", "XDG_DATA_HOME", ".local/share" },
	};
	const char *known[] = { doctor->state, doctor->data };
	const char *home = getenv("HOME");
	for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
		char path[256];
		const char *xdg = getenv(usual[i].variable);
		if (known[i][0]) {
			text_copy(path, sizeof(path), known[i]);
		} else if (getuid() == 0 || !home) {
			text_copy(path, sizeof(path), usual[i].root);
		} else if (xdg) {
			text_format(path, sizeof(path), "%s/perigee", xdg);
		} else {
			text_format(path, sizeof(path), "%s/%s/perigee", home, usual[i].below);
		}
		try_folder(doctor, usual[i].name, path);
	}
}

void doctor_try_machine(struct doctor *doctor) {
	try_memory(doctor);
	try_files(doctor);
	try_folders(doctor);
	try_landlock(doctor);
	try_seccomp(doctor);
	try_cgroup(doctor);
	try_render_node(doctor);
	try_uinput(doctor);
	try_uhid(doctor);
	try_nodes(doctor);
	try_sandbox(doctor);
}
