/* SPDX-License-Identifier: MIT */
#include "supervisor/programs.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "supervisor/process.h"

static const char *const names[PROGRAMS_MAX] = {
	"perigeed",
	"perigee-exec",
	"perigee-gate",
	"perigee-log",
	"perigee-store",
	"perigee-facts",
	"perigee-discover",
	"perigee-art",
	"perigee-encoder",
	"perigee-desktop",
	"perigee-runner",
	"perigee-stream",
	"perigee-autopsy",
	"perigee-trial",
};

enum {
	NEEDED = 3, /* of the names: without these nothing can be started */
};

const char *programs_name(size_t index) {
	return index < ARRAY_LEN(names) ? names[index] : NULL;
}

static int find(const char *name) {
	for (int i = 0; programs_name((size_t)i); i++) {
		if (strcmp(names[i], name) == 0) {
			return i;
		}
	}
	return -1;
}

/* -ENOEXEC for what is no ELF file. */
static int open_program(const char *path) {
	OWN(fd_close) int low = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4] = "";
	if (low < 0) {
		return -errno;
	}
	if (pread(low, magic, sizeof(magic), 0) != sizeof(magic) ||
			memcmp(magic, "\177ELF", sizeof(magic)) != 0) {
		return -ENOEXEC;
	}
	int fd = fcntl(low, F_DUPFD_CLOEXEC, PROGRAMS_FD_FIRST);
	return fd < 0 ? -errno : fd;
}

int programs_open(const char *folders, struct programs *out) {
	*out = (struct programs){ .number = 0 };
	int rc = text_copy(out->folders, sizeof(out->folders), folders) ? 0 : -ENAMETOOLONG;
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		char path[PATH_MAX];
		out->fd[i] = -1;
		if (rc < 0 || !names[i]) {
			continue;
		}
		int found = spawn_find(folders, names[i], path, sizeof(path));
		int fd = found < 0 ? found : open_program(path);
		if (fd >= 0) {
			out->fd[i] = fd;
		} else if (fd != -ENOEXEC && i < NEEDED) {
			rc = fd;
		}
	}
	if (rc < 0) {
		programs_finish(out);
	}
	return rc;
}

void programs_finish(struct programs *programs) {
	for (size_t i = 0; i < PROGRAMS_MAX; i++) {
		fd_release(&programs->fd[i]);
	}
}

int programs_fd(const struct programs *programs, const char *name) {
	int i = find(name);
	return i < 0 ? -1 : programs->fd[i];
}

int programs_path(const struct programs *programs, const char *name, char *out, size_t size) {
	int rc = spawn_find(programs->folders, name, out, size);
	if (rc < 0 && programs_fd(programs, name) >= 0) {
		size_t len = strcspn(programs->folders, ":");
		bool fits = text_format(out, size, "%.*s/%s", (int)len, programs->folders, name);
		rc = fits ? 0 : -ENAMETOOLONG;
	}
	return rc;
}

static bool is_safe(const struct stat *status, uid_t owner) {
	return (status->st_uid == 0 || status->st_uid == owner) &&
	       (status->st_mode & (owner == 0 ? 0022 : 0002)) == 0;
}

/* A folder with the sticky bit lets nobody replace another's file. */
static bool folder_is_safe(const char *folder, uid_t owner) {
	struct stat status;
	return stat(folder, &status) == 0 &&
	       (is_safe(&status, owner) || (status.st_uid == 0 && status.st_mode & S_ISVTX));
}

static bool way_is_safe(const char *path, uid_t owner) {
	char folder[PATH_MAX];
	bool safe = realpath(path, folder) != NULL;
	for (char *slash; safe && (slash = strrchr(folder, '/')) != NULL;) {
		*slash = '\0';
		safe = folder_is_safe(folder[0] ? folder : "/", owner);
	}
	return safe;
}

int programs_check_owner(const struct programs *programs, uid_t owner, struct config_text *error) {
	for (size_t i = 0; programs_name(i); i++) {
		char path[PATH_MAX];
		struct stat status;
		if (spawn_find(programs->folders, names[i], path, sizeof(path)) < 0) {
			continue;
		}
		if (stat(path, &status) < 0 || !is_safe(&status, owner) ||
				!way_is_safe(path, owner)) {
			text_format(error->text, sizeof(error->text),
					"%.300s could have been written by somebody else than root "
					"and Perigee's own user: it is not executed",
					path);
			return -EPERM;
		}
	}
	return 0;
}
