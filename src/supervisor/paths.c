/* SPDX-License-Identifier: MIT */
#include "supervisor/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"
#include "base/text.h"

static bool env_number(const char *name, int64_t *out) {
	const char *text = getenv(name);
	return text && number_parse(text, strlen(text), 1, INT32_MAX, out) == 0;
}

/* Root never runs apps: the user named, the one behind sudo, or "perigee". */
static int settle_user(
		const struct config *config, struct paths *paths, struct config_text *error) {
	paths->uid = getuid();
	paths->gid = getgid();
	paths->is_root = geteuid() == 0;
	if (!paths->is_root) {
		if (config->user) {
			return config_refuse(error,
					"user \"%s\": only root can run apps as somebody else",
					config->user);
		}
		return 0;
	}
	int64_t uid, gid;
	if (!config->user && env_number("SUDO_UID", &uid) && env_number("SUDO_GID", &gid)) {
		paths->uid = (uid_t)uid;
		paths->gid = (gid_t)gid;
		text_format(paths->said, sizeof(paths->said),
				"Apps run as the user behind sudo (uid %u). ", paths->uid);
		return 0;
	}
	const char *name = config->user ? config->user : "perigee";
	struct passwd *user = getpwnam(name);
	if (!user) {
		return config_refuse(error,
				"started as root, and there is no user \"%s\" to run apps as: make "
				"it "
				"with `useradd --system --no-create-home %s`, or name another with "
				"--user",
				name, name);
	}
	if (user->pw_uid == 0) {
		return config_refuse(error, "user \"%s\" is root: no app ever runs as root", name);
	}
	paths->uid = user->pw_uid;
	paths->gid = user->pw_gid;
	text_format(paths->said, sizeof(paths->said), "Apps run as the user %s (uid %u). ", name,
			paths->uid);
	return 0;
}

/* The home folder of root is mode 0700, for one. What is not there yet is open. */
bool paths_are_open(const struct paths *paths, const char *path) {
	char part[512];
	if (!text_copy(part, sizeof(part), path)) {
		return false;
	}
	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		struct stat st;
		if (stat(part, &st) < 0) {
			return errno == ENOENT;
		}
		if (!S_ISDIR(st.st_mode)) {
			return true; /* the error that comes of it says more */
		}
		mode_t needed = st.st_uid == paths->uid   ? S_IXUSR
				: st.st_gid == paths->gid ? S_IXGRP
							  : S_IXOTH;
		if (!(st.st_mode & needed)) {
			return false;
		}
		*slash = '/';
	}
	return true;
}

struct folder_rule {
	const char *what;
	const char *variable;   /* XDG variable that holds its parent */
	const char *under_home; /* its default below $HOME */
	const char *system;     /* where it lies for a system service */
};

static const struct folder_rule state_rule = { "state", "XDG_STATE_HOME", ".local/state",
	"/var/lib/perigee" };
static const struct folder_rule data_rule = { "data", "XDG_DATA_HOME", ".local/share",
	"/var/lib/perigee" };
static const struct folder_rule runtime_rule = { "runtime", "XDG_RUNTIME_DIR", NULL,
	"/run/perigee" };

static void choose(const struct folder_rule *rule, const char *given, const struct paths *paths,
		char *out) {
	const char *parent = getenv(rule->variable);
	const char *home = getenv("HOME");
	out[0] = '\0';
	if (given) {
		text_copy(out, CONFIG_PATH_MAX, given);
		return;
	}
	if (parent && parent[0] == '/') {
		text_format(out, CONFIG_PATH_MAX, "%s/perigee", parent);
	} else if (rule->under_home && home && home[0] == '/') {
		text_format(out, CONFIG_PATH_MAX, "%s/%s/perigee", home, rule->under_home);
	} else if (!paths->is_root) {
		text_format(out, CONFIG_PATH_MAX, "/tmp/perigee-%u", getuid());
	}
	if (paths->is_root && (!out[0] || !paths_are_open(paths, out))) {
		text_copy(out, CONFIG_PATH_MAX, rule->system);
	}
}

int paths_make(const char *path, uid_t uid, gid_t gid) {
	char part[512];
	if (path[0] != '/' || !text_copy(part, sizeof(part), path)) {
		return -EINVAL;
	}
	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST) {
			return -errno;
		}
		*slash = '/';
	}
	bool made = mkdir(part, 0700) == 0;
	if (!made && errno != EEXIST) {
		return -errno;
	}
	OWN(fd_close) int fd = open(part, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	/* What is in another user's folder is that user's too, and stays so. */
	bool ours = st.st_uid == uid || (geteuid() == 0 && st.st_uid == 0);
	if (!ours) {
		return -EPERM;
	}
	if (geteuid() == 0 && (st.st_uid != uid || st.st_gid != gid) && fchown(fd, uid, gid) < 0) {
		return -errno;
	}
	return 0;
}

static int make(const char *what, const char *path, const struct paths *paths,
		struct config_text *error) {
	if (paths->is_root && path[0] == '/' && !paths_are_open(paths, path)) {
		return config_refuse(error,
				"%s folder %s: the user who runs workers and apps (uid %u) cannot "
				"enter the folders above it. Choose another with --%s or --user.",
				what, path, paths->uid, what);
	}
	int rc = path[0] == '/' ? paths_make(path, paths->uid, paths->gid) : -EINVAL;
	if (rc == 0 && access(path, W_OK | X_OK) < 0) {
		rc = -errno;
	}
	struct stat st;
	if (rc == -EPERM && stat(path, &st) == 0 && st.st_uid != paths->uid) {
		return config_refuse(error,
				"%s folder %s belongs to another user (uid %u), and Perigee would "
				"run as uid %u. %shoose another with --%s.",
				what, path, st.st_uid, paths->uid,
				paths->is_root ? "Name that user with --user, or c" : "C", what);
	}
	if (rc == -EINVAL) {
		return config_refuse(
				error, "%s folder \"%s\": an absolute path is needed", what, path);
	}
	return rc == 0 ? 0
		       : config_refuse(error,
					 "%s folder %s: %s. Choose another with --%s, or mend it.",
					 what, path, strerror(-rc), what);
}

/* Xwayland's sockets lie here by convention. Whoever comes first makes the folder (in a
 * service's own /tmp and in a container that is us; a desktop may not); made by root
 * without the sticky bit for all, nobody else's X server can start. */
static void open_x_folder(void) {
	static const char folder[] = "/tmp/.X11-unix";
	struct stat st;
	(void)!mkdir(folder, 01777);
	if (lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
			(st.st_mode & 01777) != 01777) {
		(void)!chmod(folder, 01777);
	}
}

/* perigee-log opens it again for each start and rotation; here it is still time to
 * refuse. */
static int try_log(const struct paths *paths, struct config_text *error) {
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	OWN(fd_close) int fd = open(paths->log, flags, 0640);
	return fd >= 0 ? 0
		       : config_refuse(error,
					 "log file %s: %s. Choose another with --log, or mend it.",
					 paths->log, strerror(errno));
}

int paths_settle(const struct config *config, struct paths *out, struct config_text *error) {
	struct paths paths = { 0 };
	int rc = settle_user(config, &paths, error);
	if (rc < 0) {
		return rc;
	}
	choose(&state_rule, config->folders.state, &paths, paths.state);
	choose(&data_rule, config->folders.data, &paths, paths.data);
	choose(&runtime_rule, config->folders.runtime, &paths, paths.runtime);
	if (strlen(paths.runtime) > 60) {
		/* A Unix socket's path has 108 bytes, and ours lie two levels deeper. */
		return config_refuse(error,
				"runtime folder %s: the path may have 60 characters at the most",
				paths.runtime);
	}
	if ((rc = make("state", paths.state, &paths, error)) < 0 ||
			(rc = make("data", paths.data, &paths, error)) < 0 ||
			(rc = make("runtime", paths.runtime, &paths, error)) < 0) {
		return rc;
	}
	if (config->folders.log) {
		text_copy(paths.log, sizeof(paths.log), config->folders.log);
	} else if (!text_format(paths.log, sizeof(paths.log), "%s/perigee.log", paths.state)) {
		return config_refuse(error, "state folder %s: the path is too long", paths.state);
	}
	if ((rc = try_log(&paths, error)) < 0) {
		return rc;
	}
	open_x_folder();
	*out = paths;
	return 0;
}

static void remove_at(int parent, const char *name) {
	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) {
		return;
	}
	int fd = openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (!folder) {
		fd_close(fd);
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
			remove_at(dirfd(folder), entry->d_name);
		}
	}
	closedir(folder);
	unlinkat(parent, name, AT_REMOVEDIR);
}

void paths_remove_tree(const char *path) {
	remove_at(AT_FDCWD, path);
}

void paths_remove_matching(const char *path, const char *prefix,
		bool (*stays)(const char *name, void *user), void *user) {
	DIR *folder = opendir(path);
	if (!folder) {
		return;
	}
	for (struct dirent *entry; (entry = readdir(folder));) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
				!(stays && stays(entry->d_name, user))) {
			remove_at(dirfd(folder), entry->d_name);
		}
	}
	closedir(folder);
}

void paths_remove_empty(const char *folder) {
	rmdir(folder);
}
