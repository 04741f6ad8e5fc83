/* SPDX-License-Identifier: MIT */
#include "supervisor/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 1024,
	END_MS = 1000,                 /* for those who die last */
	SHARES_PER_WEIGHT_X100 = 1024, /* version 1: cpu.shares 1024 is what weight 100 is */
};

static const char *const names[CGROUP_CONTROLLERS] = {
	[CGROUP_CPU] = "cpu",
	[CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids",
};

static int put(const char *folder, const char *file, const char *value) {
	char path[CGROUP_PATH_MAX + 64];
	text_format(path, sizeof(path), "%s/%s", folder, file);
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	ssize_t len = (ssize_t)strlen(value);
	return fd >= 0 && write(fd, value, (size_t)len) == len ? 0 : -errno;
}

/* ---- finding them ---- */

/* True when a list of words separated by commas has the word. */
static bool has_word(const char *list, const char *word) {
	size_t len = strlen(word);
	while (*list) {
		size_t here = strcspn(list, ",");
		if (here == len && strncmp(list, word, len) == 0) {
			return true;
		}
		list += here + (list[here] == ',');
	}
	return false;
}

/* Our own group for a controller, by a line "NUMBER:LIST:/PATH" of /proc/self/cgroup;
 * controller NULL: that of version 2. */
static bool own_group(const char *root, const char *controller, char *out) {
	char path[CGROUP_PATH_MAX], line[LINE_MAX_BYTES];
	text_format(path, sizeof(path), "%s/proc/self/cgroup", root);
	OWN(file_close) FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		char *list = strchr(line, ':');
		char *group = list ? strchr(list + 1, ':') : NULL;
		if (!group) {
			continue;
		}
		*group++ = '\0';
		list++;
		if (controller ? has_word(list, controller) : list[0] == '\0') {
			return text_copy(out, CGROUP_PATH_MAX, group);
		}
	}
	return false;
}

struct mount_line {
	char group[CGROUP_PATH_MAX], point[CGROUP_PATH_MAX], type[32], options[256];
};

/* The word of that number in a line of words with one space between them. */
static bool copy_word(const char *line, unsigned number, char *out, size_t size) {
	for (; number > 0; number--) {
		line = strchr(line, ' ');
		if (!line) {
			return false;
		}
		line++;
	}
	return text_format(out, size, "%.*s", (int)strcspn(line, " \n"), line);
}

/* mountinfo(5): 36 35 98:0 /GROUP /POINT options ... - TYPE source super-options */
static bool read_mount(const char *line, struct mount_line *out) {
	const char *tail = strstr(line, " - ");
	*out = (struct mount_line){ 0 };
	return tail && copy_word(line, 3, out->group, sizeof(out->group)) &&
	       copy_word(line, 4, out->point, sizeof(out->point)) &&
	       copy_word(tail + 3, 0, out->type, sizeof(out->type)) &&
	       copy_word(tail + 3, 2, out->options, sizeof(out->options));
}

/* Where the hierarchy of a controller is mounted (NULL: version 2's). */
static bool find_mount(const char *root, const char *controller, struct mount_line *out) {
	char path[CGROUP_PATH_MAX], line[LINE_MAX_BYTES];
	text_format(path, sizeof(path), "%s/proc/self/mountinfo", root);
	OWN(file_close) FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (read_mount(line, out) &&
				(controller ? strcmp(out->type, "cgroup") == 0 &&
										has_word(out->options,
												controller)
					    : strcmp(out->type, "cgroup2") == 0)) {
			return true;
		}
	}
	return false;
}

/* The folder of our own group. In a container the mount shows a part of the tree only,
 * or the whole though we are named by a path outside of it. */
static bool own_folder(const char *root, const char *controller, char *out) {
	char group[CGROUP_PATH_MAX];
	struct mount_line mount;
	if (!own_group(root, controller, group) || !find_mount(root, controller, &mount)) {
		return false;
	}
	size_t above = strlen(mount.group);
	const char *below = group;
	if (above > 1 && strncmp(group, mount.group, above) == 0) {
		below = group + above;
	}
	struct stat st;
	text_format(out, CGROUP_PATH_MAX, "%s%s%s", root, mount.point,
			strcmp(below, "/") == 0 ? "" : below);
	if (stat(out, &st) < 0) {
		text_format(out, CGROUP_PATH_MAX, "%s%s", root, mount.point);
	}
	return stat(out, &st) == 0;
}

static int make_base(const char *own, const char *name, char *base) {
	if (!text_format(base, CGROUP_PATH_MAX, "%s/%s", own, name)) {
		return -ENAMETOOLONG;
	}
	int rc = mkdir(base, 0755) < 0 && errno != EEXIST ? -errno : 0;
	if (rc < 0) {
		base[0] = '\0';
	}
	return rc;
}

static void say(struct cgroups *cgroups, const char *what, const char *path, int error) {
	if (!cgroups->missing[0]) {
		text_format(cgroups->missing, sizeof(cgroups->missing),
				"%s (%.100s: %s): a session can take more than its share. ", what,
				path, strerror(-error));
	}
}

/* Version 1: each controller for itself; those that can be had are used. */
static bool open_first(const char *root, const char *name, struct cgroups *out) {
	bool found = false;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		char own[CGROUP_PATH_MAX];
		if (!own_folder(root, names[i], own)) {
			continue;
		}
		found = true;
		int rc = make_base(own, name, out->base[i]);
		if (rc < 0) {
			say(out, "no control group can be made", own, rc);
		} else {
			out->version = 1;
		}
	}
	return found;
}

/* One by one: where the processor cannot be shared out (the kernel has real-time groups)
 * memory still can. */
static int enable(const char *folder) {
	int processor = put(folder, "cgroup.subtree_control", "+cpu");
	int rc = put(folder, "cgroup.subtree_control", "+memory");
	if (rc == 0) {
		rc = put(folder, "cgroup.subtree_control", "+pids");
	}
	return rc == 0 && processor == -EBUSY ? -EBUSY : rc;
}

/* Version 2: a group with children that are controlled may have no process of its own,
 * so we, and who started us, move down into a leaf. */
static int make_room(const char *own) {
	char leaf[CGROUP_PATH_MAX + 16], number[16];
	text_format(leaf, sizeof(leaf), "%s/perigee-host", own);
	if (mkdir(leaf, 0755) < 0 && errno != EEXIST) {
		return -errno;
	}
	const pid_t movers[] = { getppid(), getpid() };
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(movers); i++) {
		text_format(number, sizeof(number), "%d", movers[i]);
		rc = put(leaf, "cgroup.procs", number);
	}
	return rc < 0 ? rc : enable(own);
}

static void open_second(const char *root, const char *name, struct cgroups *out) {
	static const char leaf[] = "/perigee-host";
	char own[CGROUP_PATH_MAX];
	if (!own_folder(root, NULL, own)) {
		text_copy(out->missing, sizeof(out->missing),
				"no control groups are mounted: a session can take more than its "
				"share. ");
		return;
	}
	/* A successor starts where its predecessor moved to. */
	size_t len = strlen(own);
	if (len >= sizeof(leaf) - 1 && strcmp(own + len - (sizeof(leaf) - 1), leaf) == 0) {
		own[len - (sizeof(leaf) - 1)] = '\0';
	}
	int rc = make_base(own, name, out->base[0]);
	if (rc == 0) {
		rc = enable(own);
		rc = rc == -EBUSY ? make_room(own) : rc;
	}
	if (rc == 0) {
		rc = enable(out->base[0]);
	}
	if (rc < 0) {
		say(out, "no control group can be made", own, rc);
		if (out->base[0][0]) {
			rmdir(out->base[0]);
			out->base[0][0] = '\0';
		}
		return;
	}
	out->version = 2;
}

static int open_folder(int parent, const char *name) {
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool is_left(int fd) {
	struct stat st;
	return fd >= 0 && fstat(fd, &st) == 0 && time(NULL) - st.st_mtime > CGROUP_LEFT_S &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* Groups of sessions in it first; who is not empty stays. */
static void remove_left(int parent, const char *name, int fd) {
	DIR *folder = fdopendir(fd);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		if (strncmp(entry->d_name, "s-", 2) == 0) {
			unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
		}
	}
	unlinkat(parent, name, AT_REMOVEDIR);
	if (folder) {
		closedir(folder);
	} else {
		fd_close(fd);
	}
}

/* What others left beside our folder: named like it, with another number. */
static void sweep_left(const char *base) {
	const char *own = strrchr(base, '/');
	const char *number = own ? strrchr(own, '-') : NULL;
	char above[CGROUP_PATH_MAX];
	if (!number || !text_format(above, sizeof(above), "%.*s", (int)(own - base), base)) {
		return;
	}
	size_t len = (size_t)(number - own); /* of the name with its '-' */
	DIR *folder = opendir(above);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		const char *name = entry->d_name;
		if (strncmp(name, own + 1, len) != 0 || strcmp(name, own + 1) == 0 ||
				name[len] == '\0' || name[len + strspn(name + len, "0123456789")]) {
			continue;
		}
		int fd = open_folder(dirfd(folder), name);
		if (is_left(fd)) {
			remove_left(dirfd(folder), name, fd);
		} else {
			fd_close(fd);
		}
	}
	if (folder) {
		closedir(folder);
	}
}

void cgroups_open(const char *root, const char *name, struct cgroups *out) {
	*out = (struct cgroups){ 0 };
	if (!open_first(root, name, out)) {
		open_second(root, name, out);
	}
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		out->claim[i] = -1;
		if (out->base[i][0]) {
			out->claim[i] = open_folder(AT_FDCWD, out->base[i]);
			(void)!flock(out->claim[i], LOCK_SH | LOCK_NB);
			sweep_left(out->base[i]);
		}
	}
}

/* ---- one for a session ---- */

bool cgroup_path(const struct cgroups *cgroups, uint64_t session, enum cgroup_controller controller,
		char *out, size_t size) {
	return cgroups->base[controller][0] &&
	       text_format(out, size, "%s/s-%016" PRIx64, cgroups->base[controller], session);
}

struct setting {
	enum cgroup_controller controller;
	const char *first, *second; /* the file in version 1 and 2 */
	uint64_t value;             /* 0: as it is */
};

static int make_folders(const struct cgroups *cgroups, uint64_t session) {
	char path[CGROUP_PATH_MAX + 32];
	int rc = -ENOENT;
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (!cgroup_path(cgroups, session, (enum cgroup_controller)i, path, sizeof(path))) {
			continue;
		}
		int made = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
		rc = rc == -ENOENT || made < 0 ? made : rc;
	}
	return rc;
}

int cgroup_create(const struct cgroups *cgroups, uint64_t session,
		const struct cgroup_limits *limits) {
	if (cgroups->version == 0) {
		return -ENOENT;
	}
	bool first = cgroups->version == 1;
	uint64_t weight = limits->cpu_weight;
	const struct setting settings[] = {
		{ CGROUP_CPU, "cpu.shares", "cpu.weight",
				first ? weight * SHARES_PER_WEIGHT_X100 / 100 : weight },
		{ CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max", limits->memory },
		{ CGROUP_PIDS, "pids.max", "pids.max", limits->processes },
	};
	int rc = make_folders(cgroups, session);
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(settings); i++) {
		const struct setting *setting = &settings[i];
		char path[CGROUP_PATH_MAX + 32], value[24];
		enum cgroup_controller where = first ? setting->controller : CGROUP_CPU;
		if (setting->value && cgroup_path(cgroups, session, where, path, sizeof(path))) {
			text_format(value, sizeof(value), "%" PRIu64, setting->value);
			rc = put(path, first ? setting->first : setting->second, value);
			rc = rc == -ENOENT ? 0 : rc; /* not in this kernel */
		}
	}
	return rc;
}

int cgroup_enter(const char *folder) {
	return put(folder, "cgroup.procs", "0");
}

/* ---- removing them ---- */

static bool session_of(const char *name, uint64_t *out) {
	char *end = NULL;
	if (strncmp(name, "s-", 2) != 0 || strlen(name) != 18) {
		return false;
	}
	*out = strtoull(name + 2, &end, 16);
	return *end == '\0';
}

/* Who is in a group, one after the other. */
static void each_member(
		int folder, const char *group, void (*each)(pid_t pid, void *user), void *user) {
	char path[64], text[4096];
	text_format(path, sizeof(path), "%s/cgroup.procs", group);
	OWN(fd_close) int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	for (const char *at = text; *at; at += strcspn(at, "\n") + (strchr(at, '\n') != NULL)) {
		int64_t pid;
		if (number_parse(at, strcspn(at, "\n"), 1, INT32_MAX, &pid) == 0) {
			each((pid_t)pid, user);
		}
	}
}

struct visit {
	bool (*keep)(void *user, uint64_t session); /* NULL: none is kept */
	void *user;                                 /* keep's */
	void (*each)(int folder, const char *group, struct visit *visit);
	unsigned killed;
	uint64_t until_ms;
};

static void each_group(const struct cgroups *cgroups, struct visit *visit) {
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		DIR *folder = cgroups->base[i][0] ? opendir(cgroups->base[i]) : NULL;
		for (struct dirent *entry; folder && (entry = readdir(folder));) {
			uint64_t session;
			if (session_of(entry->d_name, &session) &&
					!(visit->keep && visit->keep(visit->user, session))) {
				visit->each(dirfd(folder), entry->d_name, visit);
			}
		}
		if (folder) {
			closedir(folder);
		}
	}
}

static void kill_member(pid_t pid, void *user) {
	struct visit *visit = (struct visit *)user;
	visit->killed += kill(pid, SIGKILL) == 0;
}

static void kill_in(int folder, const char *group, struct visit *visit) {
	each_member(folder, group, kill_member, visit);
}

static void await_member(pid_t pid, void *user) {
	const struct visit *visit = (const struct visit *)user;
	uint64_t now_ms = clock_now_ms();
	OWN(fd_close) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	if (pidfd >= 0 && now_ms < visit->until_ms) {
		(void)!poll(&wait, 1, (int)(visit->until_ms - now_ms));
	}
}

static void await_in(int folder, const char *group, struct visit *visit) {
	each_member(folder, group, await_member, visit);
}

static void remove_empty(int folder, const char *group, struct visit *visit) {
	(void)visit;
	unlinkat(folder, group, AT_REMOVEDIR);
}

unsigned cgroups_kill(const struct cgroups *cgroups, bool (*keep)(void *user, uint64_t session),
		void *user) {
	struct visit visit = { keep, user, kill_in, 0, 0 };
	each_group(cgroups, &visit);
	return visit.killed;
}

void cgroups_sweep(const struct cgroups *cgroups, bool (*keep)(void *user, uint64_t session),
		void *user) {
	struct visit visit = { keep, user, remove_empty, 0, 0 };
	each_group(cgroups, &visit);
}

/* The kernel removes no group in which somebody is still dying. */
void cgroups_close(struct cgroups *cgroups) {
	struct visit waiting = { .each = await_in, .until_ms = clock_now_ms() + END_MS };
	(void)cgroups_kill(cgroups, NULL, NULL);
	each_group(cgroups, &waiting);
	cgroups_sweep(cgroups, NULL, NULL);
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (cgroups->base[i][0]) {
			rmdir(cgroups->base[i]);
			fd_close(cgroups->claim[i]);
		}
	}
	*cgroups = (struct cgroups){ .claim = { -1, -1, -1 } };
}
