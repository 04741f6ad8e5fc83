/* SPDX-License-Identifier: MIT */
#include "supervisor/veil.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/text.h"

static int write_file(const char *path, const char *text) {
	OWN(fd_close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);
	return fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -errno;
}

/* The user that it was is the user that it is: only the capabilities are new. */
static int map_user(uid_t uid, gid_t gid) {
	char map[64];
	text_format(map, sizeof(map), "%u %u 1\n", uid, uid);
	int rc = write_file("/proc/self/uid_map", map);
	if (rc == 0) {
		rc = write_file("/proc/self/setgroups", "deny");
	}
	if (rc == 0) {
		text_format(map, sizeof(map), "%u %u 1\n", gid, gid);
		rc = write_file("/proc/self/gid_map", map);
	}
	return rc;
}

static int split_off(void) {
	if (unshare(CLONE_NEWNS) == 0) {
		return 0;
	}
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (errno != EPERM || uid == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) {
		return -errno;
	}
	return map_user(uid, gid);
}

static bool lies_in(const char *path, const char *folder) {
	size_t len = strlen(folder);
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Makes the folders below `folder` that lead to path. */
static int lead_to(const char *folder, const char *path, bool is_folder) {
	char part[PATH_MAX];
	if (!text_copy(part, sizeof(part), path)) {
		return -ENAMETOOLONG;
	}
	for (char *slash = part + strlen(folder); (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST) {
			return -errno;
		}
		*slash = '/';
	}
	if (is_folder) {
		return mkdir(part, 0755) < 0 && errno != EEXIST ? -errno : 0;
	}
	OWN(fd_close) int fd = open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : 0;
}

struct kept {
	const char *path;
	int tree; /* owned: a detached mount, -1 */
	bool is_folder;
};

static int lift(const char *path, struct kept *out) {
	struct stat st;
	*out = (struct kept){ .path = path, .tree = -1 };
	if (stat(path, &st) < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	out->is_folder = S_ISDIR(st.st_mode);
	out->tree = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	return out->tree < 0 ? -errno : 0;
}

static int put_back(const char *folder, struct kept *kept) {
	int rc = lead_to(folder, kept->path, kept->is_folder);
	if (rc == 0 && move_mount(kept->tree, "", AT_FDCWD, kept->path, MOVE_MOUNT_F_EMPTY_PATH) <
					0) {
		rc = -errno;
	}
	fd_release(&kept->tree);
	return rc;
}

/* An empty folder over `folder`, with what is kept in its old place. */
static int hide(const char *folder, const char *const *keep, bool fresh) {
	struct kept kept[VEIL_FOLDERS_MAX];
	size_t count = 0;
	int rc = 0;
	for (; *keep && rc == 0; keep++) {
		if (strcmp(*keep, folder) == 0) {
			return 0;
		}
		if (lies_in(*keep, folder)) {
			rc = lift(*keep, &kept[count]);
			count += kept[count].tree >= 0;
		}
	}
	if (rc == 0 && mount("perigee-veil", folder, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
				       fresh ? "mode=1777,size=256k,nr_inodes=256"
					     : "mode=0755,size=256k,nr_inodes=256") < 0) {
		rc = -errno;
	}
	for (size_t i = 0; i < count; i++) {
		rc = rc == 0 ? put_back(folder, &kept[i]) : rc;
		fd_release(&kept[i].tree);
	}
	if (rc == 0 && !fresh &&
			mount(NULL, folder, NULL,
					MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV |
							MS_NOEXEC,
					NULL) < 0) {
		rc = -errno;
	}
	return rc;
}

int veil_enter(const struct veil *veil) {
	int rc = split_off();
	/* What is mounted later outside shows here too, but nothing of this out there. */
	if (rc == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
		rc = -errno;
	}
	/* A kernel without network namespaces has the rest. */
	if (rc == 0 && veil->no_network && unshare(CLONE_NEWNET) < 0 && errno != EINVAL) {
		rc = -errno;
	}
	for (const char *const *folder = veil->hide; rc == 0 && *folder; folder++) {
		rc = access(*folder, F_OK) == 0 ? hide(*folder, veil->keep, false) : 0;
	}
	if (rc == 0 && veil->fresh && access(veil->fresh, F_OK) == 0) {
		rc = hide(veil->fresh, veil->keep, true);
	}
	for (const char *const *path = veil->sockets; rc == 0 && *path; path++) {
		if (access(*path, F_OK) == 0 &&
				mount("/dev/null", *path, NULL, MS_BIND, NULL) < 0) {
			rc = -errno;
		}
	}
	return rc;
}

int veil_try(void) {
	pid_t pid = fork();
	if (pid < 0) {
		return -errno;
	}
	if (pid == 0) {
		/* A worker that gets no network has its veil by root only (confine_table.c), and
		 * a service may be forbidden network namespaces. */
		struct veil veil = { .hide = { "/tmp" }, .no_network = geteuid() == 0 };
		_exit(-veil_enter(&veil));
	}
	int status;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM;
}
