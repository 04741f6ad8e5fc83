/* SPDX-License-Identifier: MIT */
#include "supervisor/landlock.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "supervisor/confine_table.h"

/* Numbers that Debian 12's header does not have yet. */
enum {
	RIGHT_TRUNCATE = 1 << 14,  /* ABI 3 */
	RIGHT_IOCTL_DEV = 1 << 15, /* ABI 5 */
	SCOPE_ABSTRACT = 1 << 0,   /* ABI 6 */
	SCOPE_SIGNAL = 1 << 1,     /* ABI 6 */
	NET_TCP = 3,               /* ABI 4: bind, connect */
};

enum {
	RIGHTS_FILE = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		      LANDLOCK_ACCESS_FS_READ_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV,
	RIGHTS_READ = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		      LANDLOCK_ACCESS_FS_READ_DIR,
	RIGHTS_DEVICE = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
			LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | RIGHT_IOCTL_DEV,
	RIGHTS_ALL = (1 << 16) - 1,
};

/* The whole struct of ABI 6; older kernels take a shorter one. */
struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct opened {
	const char *path;
	uint64_t rights;
};

static const struct opened opened[] = {
	{ "/usr", RIGHTS_READ },
	{ "/bin", RIGHTS_READ },
	{ "/sbin", RIGHTS_READ },
	{ "/lib", RIGHTS_READ },
	{ "/lib32", RIGHTS_READ },
	{ "/lib64", RIGHTS_READ },
	{ "/libx32", RIGHTS_READ },
	{ "/etc", RIGHTS_READ },
	{ "/opt", RIGHTS_READ },
	{ "/nix", RIGHTS_READ },
	{ "/gnu", RIGHTS_READ },
	{ "/snap", RIGHTS_READ },
	{ "/srv", RIGHTS_READ },
	{ "/mnt", RIGHTS_READ },
	{ "/media", RIGHTS_READ },
	{ "/sys", RIGHTS_READ },
	{ "/run", RIGHTS_READ },
	{ "/var/lib", RIGHTS_READ },
	{ "/var/cache", RIGHTS_READ },
	{ "/proc", RIGHTS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE },
	{ "/dev", RIGHTS_DEVICE },
	{ "/dev/shm", RIGHTS_ALL },
	{ "/tmp", RIGHTS_ALL },
	{ "/var/tmp", RIGHTS_ALL },
};

/* Where Perigee keeps its own, and every user's runtime folder. */
static const char *const always_closed[] = {
	"/run/perigee",
	"/run/user",
	"/var/lib/perigee",
	"/var/cache/perigee",
};

struct closed {
	char paths[LANDLOCK_FOLDERS_MAX + 4][PATH_MAX];
	size_t count;
};

struct rules {
	int ruleset;
	uint64_t handled;
	const struct closed *closed;
};

int landlock_abi(void) {
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	return abi > 0 ? (int)abi : 0;
}

static int add_rule(const struct rules *rules, const char *path, uint64_t rights) {
	OWN(fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat status;
	if (fd < 0 || fstat(fd, &status) < 0) {
		return -errno;
	}
	if (!S_ISDIR(status.st_mode)) {
		rights &= RIGHTS_FILE;
	}
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights & rules->handled,
		.parent_fd = fd,
	};
	if (rule.allowed_access == 0) {
		return 0;
	}
	long rc = syscall(SYS_landlock_add_rule, rules->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule,
			0);
	return rc < 0 ? -errno : 0;
}

static bool is_closed(const struct closed *closed, const char *path) {
	for (size_t i = 0; i < closed->count; i++) {
		if (strcmp(closed->paths[i], path) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_closed_below(const struct closed *closed, const char *path) {
	size_t len = strlen(path);
	for (size_t i = 0; i < closed->count; i++) {
		if (strncmp(closed->paths[i], path, len) == 0 && closed->paths[i][len] == '/') {
			return true;
		}
	}
	return false;
}

/* Landlock only allows, so a hierarchy with something closed in it is opened
 * entry by entry; what appears in it later is closed too. */
static void open_around(const struct rules *rules, const char *path, uint64_t rights) {
	if (is_closed(rules->closed, path)) {
		return;
	}
	if (!has_closed_below(rules->closed, path)) {
		/* A part of the system that is missing or unreadable is not missed. */
		int rc = add_rule(rules, path, rights);
		(void)rc;
		return;
	}
	DIR *folder = opendir(path);
	if (!folder) {
		return;
	}
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
		char child[PATH_MAX];
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
				text_format(child, sizeof(child), "%s/%s", path, entry->d_name) &&
				entry->d_type != DT_LNK) {
			open_around(rules, child, rights);
		}
	}
	closedir(folder);
}

static void list_closed(const struct landlock_plan *plan, struct closed *out) {
	out->count = 0;
	for (size_t i = 0; i < ARRAY_LEN(always_closed); i++) {
		text_copy(out->paths[out->count++], PATH_MAX, always_closed[i]);
	}
	for (size_t i = 0; i < plan->n_closed; i++) {
		if (realpath(plan->closed[i], out->paths[out->count])) {
			out->count++;
		}
	}
}

struct right_row {
	unsigned access;
	uint64_t rights;
};

static const struct right_row right_rows[] = {
	{ ACCESS_READ, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR },
	{ ACCESS_EXECUTE, LANDLOCK_ACCESS_FS_EXECUTE },
	{ ACCESS_WRITE, LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE },
	{ ACCESS_OWN, RIGHTS_ALL & ~LANDLOCK_ACCESS_FS_EXECUTE },
	{ ACCESS_DEVICE, RIGHT_IOCTL_DEV },
	{ ACCESS_SCRATCH, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
					  LANDLOCK_ACCESS_FS_MAKE_REG |
					  LANDLOCK_ACCESS_FS_REMOVE_FILE },
};

static void add_entry(const struct rules *rules, const struct landlock_entry *entry) {
	uint64_t rights = 0;
	for (size_t i = 0; i < ARRAY_LEN(right_rows); i++) {
		rights |= entry->access & right_rows[i].access ? right_rows[i].rights : 0;
	}
	glob_t found;
	if (access(entry->path, F_OK) == 0) {
		int rc = add_rule(rules, entry->path, rights);
		(void)rc; /* what cannot be opened here cannot be opened there */
	} else if (glob(entry->path, GLOB_NOSORT | GLOB_BRACE, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			int rc = add_rule(rules, found.gl_pathv[i], rights);
			(void)rc;
		}
		globfree(&found);
	}
}

static int add_plan(const struct rules *rules, const struct landlock_plan *plan) {
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < plan->n_write; i++) {
		rc = add_rule(rules, plan->write[i], RIGHTS_ALL);
	}
	for (size_t i = 0; rc == 0 && i < plan->n_read; i++) {
		rc = add_rule(rules, plan->read[i], RIGHTS_READ);
	}
	for (size_t i = 0; i < plan->n_entries; i++) {
		add_entry(rules, &plan->entries[i]);
	}
	if (rc == 0 && plan->program) {
		rc = add_rule(rules, plan->program, RIGHTS_READ);
	}
	return rc;
}

static int create_ruleset(const struct landlock_plan *plan, int abi, struct ruleset_attr *attr) {
	*attr = (struct ruleset_attr){ .fs = (1u << 13) - 1 };
	attr->fs |= abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;
	attr->fs |= abi >= 3 ? RIGHT_TRUNCATE : 0;
	attr->fs |= abi >= 5 ? RIGHT_IOCTL_DEV : 0;
	attr->net = abi >= 4 && plan->no_tcp ? NET_TCP : 0;
	attr->scoped = abi >= 6 ? SCOPE_SIGNAL : 0;
	attr->scoped |= abi >= 6 && plan->own_abstract ? SCOPE_ABSTRACT : 0;
	size_t size = abi >= 6   ? sizeof(*attr)
		      : abi >= 4 ? sizeof(attr->fs) + sizeof(attr->net)
				 : sizeof(attr->fs);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, attr, size, 0);
	return ruleset < 0 ? -errno : ruleset;
}

int landlock_prepare_signals(int *out) {
	int abi = landlock_abi();
	struct ruleset_attr attr = { .scoped = SCOPE_SIGNAL };
	if (abi < 6) {
		return -ENOTSUP;
	}
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset < 0) {
		return -errno;
	}
	*out = ruleset;
	return 0;
}

int landlock_prepare(const struct landlock_plan *plan, int *out) {
	int abi = landlock_abi();
	if (abi < 1) {
		return -ENOTSUP;
	}
	struct ruleset_attr attr;
	OWN(fd_close) int ruleset = create_ruleset(plan, abi, &attr);
	if (ruleset < 0) {
		return ruleset;
	}
	struct closed *closed = calloc(1, sizeof(*closed));
	if (!closed) {
		return -ENOMEM;
	}
	list_closed(plan, closed);
	struct rules rules = { .ruleset = ruleset, .handled = attr.fs, .closed = closed };
	for (size_t i = 0; !plan->bare && i < ARRAY_LEN(opened); i++) {
		char path[PATH_MAX];
		if (realpath(opened[i].path, path)) {
			open_around(&rules, path, opened[i].rights);
		}
	}
	int rc = add_plan(&rules, plan);
	free(closed);
	if (rc < 0) {
		return rc;
	}
	*out = TAKE(ruleset, -1);
	return 0;
}

int landlock_enter(int ruleset) {
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
