/* SPDX-License-Identifier: MIT */
#include "store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "store/database_inside.h"

enum {
	COPY_BUSY_MS = 5000,
};

static int refuse(char *detail, const char *words, const char *name, int rc) {
	text_format(detail, COPY_DETAIL_MAX, "%.200s: %s (%s)", name, words, strerror(-rc));
	return rc;
}

static int open_one(const char *path, int flags, sqlite3 **out) {
	int code = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK) {
		sqlite3_busy_timeout(*out, COPY_BUSY_MS);
	}
	return code == SQLITE_OK ? 0 : database_error(code);
}

/* In one step: a reader holds up no writer, and a writer no reader. */
static int copy_pages(sqlite3 *from, sqlite3 *to) {
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	if (!backup) {
		return database_error(sqlite3_errcode(to));
	}
	int code = sqlite3_backup_step(backup, -1);
	int finished = sqlite3_backup_finish(backup);
	if (code != SQLITE_DONE) {
		return database_error(code);
	}
	return finished == SQLITE_OK ? 0 : database_error(finished);
}

/* One file, without a log beside it. */
static int settle(sqlite3 *sqlite) {
	struct database database = { sqlite };
	int rc = database_run(&database, "PRAGMA journal_mode = DELETE");
	return rc < 0 ? rc : database_check(&database);
}

static int copy_to(const char *path, const char *partial) {
	sqlite3 *from = NULL, *to = NULL;
	int rc = open_one(path, SQLITE_OPEN_READWRITE, &from);
	if (rc == 0) {
		rc = open_one(partial, SQLITE_OPEN_READWRITE, &to);
	}
	if (rc == 0) {
		rc = copy_pages(from, to);
	}
	if (rc == 0) {
		rc = settle(to);
	}
	sqlite3_close(from);
	sqlite3_close(to);
	return rc;
}

static int sync_folder(const char *file) {
	char folder[PATH_MAX];
	const char *slash = strrchr(file, '/');
	text_format(folder, sizeof(folder), "%.*s", slash ? (int)(slash - file) + 1 : 1,
			slash ? file : ".");
	OWN(fd_close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int state_copy(const char *folder, const char *file, char *out_detail) {
	char path[PATH_MAX], partial[PATH_MAX];
	out_detail[0] = '\0';
	if (!text_format(path, sizeof(path), "%s/state.db", folder) ||
			!text_format(partial, sizeof(partial), "%s.partial", file)) {
		return refuse(out_detail, "the name is too long", file, -ENAMETOOLONG);
	}
	if (access(path, R_OK | W_OK) < 0) {
		return refuse(out_detail,
				"there is no state that this user may read; --state says where "
				"it is",
				path, -errno);
	}
	unlink(partial);
	int fd = open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return refuse(out_detail, "the copy cannot be written there", file, -errno);
	}
	fd_close(fd);
	int rc = copy_to(path, partial);
	if (rc == 0 && (rename(partial, file) < 0)) {
		rc = -errno;
	}
	if (rc == 0) {
		rc = sync_folder(file);
	}
	if (rc < 0) {
		unlink(partial);
		return refuse(out_detail,
				rc == -EBADMSG ? "the state is damaged" : "the copy failed", file,
				rc);
	}
	return 0;
}
