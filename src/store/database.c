/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "store/database_inside.h"
#include "store/schema.h"

enum {
	BUSY_MS = 1000,
};

struct code_row {
	int sqlite, error;
};

static const struct code_row code_rows[] = {
	{ SQLITE_FULL, ENOSPC },
	{ SQLITE_BUSY, EBUSY },
	{ SQLITE_LOCKED, EBUSY },
	{ SQLITE_CORRUPT, EBADMSG },
	{ SQLITE_NOTADB, EBADMSG },
	{ SQLITE_READONLY, EROFS },
	{ SQLITE_PERM, EACCES },
	{ SQLITE_CANTOPEN, EACCES },
	{ SQLITE_NOMEM, ENOMEM },
};

int database_error(int code) {
	for (size_t i = 0; i < ARRAY_LEN(code_rows); i++) {
		if (code_rows[i].sqlite == (code & 0xff)) {
			return -code_rows[i].error;
		}
	}
	return -EIO;
}

int database_run(struct database *database, const char *sql) {
	int code = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : database_error(code);
}

int database_prepare(struct database *database, const char *sql, sqlite3_stmt **out) {
	int code = sqlite3_prepare_v2(database->sqlite, sql, -1, out, NULL);
	return code == SQLITE_OK ? 0 : database_error(code);
}

int database_step(sqlite3_stmt *statement) {
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		return 1;
	}
	return code == SQLITE_DONE ? 0 : database_error(code);
}

int database_number(struct database *database, const char *sql, int64_t *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, sql, &statement);
	if (rc == 0) {
		rc = database_step(statement);
	}
	if (rc == 1) {
		*out = sqlite3_column_int64(statement, 0);
		return 0;
	}
	return rc < 0 ? rc : -ENOENT;
}

int database_begin(struct database *database) {
	return database_run(database, "BEGIN IMMEDIATE");
}

int database_end(struct database *database, int rc) {
	int ended = database_run(database, rc < 0 ? "ROLLBACK" : "COMMIT");
	if (rc >= 0 && ended < 0) {
		int undone = database_run(database, "ROLLBACK");
		(void)undone; /* the commit said why */
	}
	return rc < 0 || ended == 0 ? rc : ended;
}

void bind_text(sqlite3_stmt *statement, int at, const char *text) {
	sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* No bytes are a blob without any, not NULL. */
void bind_blob(sqlite3_stmt *statement, int at, const void *bytes, size_t len) {
	sqlite3_bind_blob(statement, at, len ? bytes : (const void *)"", (int)len, SQLITE_STATIC);
}

int database_check(struct database *database) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "PRAGMA integrity_check(1)", &statement);
	if (rc == 0) {
		rc = database_step(statement);
	}
	if (rc < 0) {
		return rc;
	}
	const char *text = rc == 1 ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	return text && strcmp(text, "ok") == 0 ? 0 : -EBADMSG;
}

static int ensure_identity(struct database *database) {
	int64_t count = 0;
	int rc = database_number(database, "SELECT count(*) FROM identity", &count);
	if (rc < 0 || count > 0) {
		return rc;
	}
	struct identity identity;
	rc = identity_create(&identity);
	if (rc < 0) {
		return rc;
	}
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	rc = database_prepare(database,
			"INSERT INTO identity VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			&statement);
	if (rc == 0) {
		sqlite3_bind_text(statement, 1, identity.certificate, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, identity.key, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, identity.host_id, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, identity.web_key, -1, SQLITE_STATIC);
		rc = database_step(statement);
	}
	explicit_bzero(&identity, sizeof(identity));
	return rc;
}

/* Makes the folder and those above it; only the last is ours to close. */
static int make_folder(const char *folder) {
	char path[PATH_MAX];
	if (!text_copy(path, sizeof(path), folder)) {
		return -ENAMETOOLONG;
	}
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
			return -errno;
		}
		*slash = '/';
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	struct stat status;
	if (stat(path, &status) < 0) {
		return -errno;
	}
	if (!S_ISDIR(status.st_mode)) {
		return -ENOTDIR;
	}
	if (status.st_uid == geteuid() && (status.st_mode & 077) && chmod(path, 0700) < 0) {
		return -errno;
	}
	return access(path, R_OK | W_OK | X_OK) < 0 ? -errno : 0;
}

/* A damaged file is nothing to write to: it goes out of the way whole, with its log.
 * Earlier ones stay. */
static void keep_aside(const char *path) {
	static const char *const parts[] = { "", "-wal", "-shm" };
	char from[PATH_MAX], to[PATH_MAX];
	for (unsigned number = 1; number < 1000; number++) {
		text_format(to, sizeof(to), "%s" DATABASE_DAMAGED "-%u", path, number);
		if (access(to, F_OK) == 0) {
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
			text_format(from, sizeof(from), "%s%s", path, parts[i]);
			text_format(to, sizeof(to), "%s" DATABASE_DAMAGED "-%u%s", path, number,
					parts[i]);
			(void)!rename(from, to); /* the log need not be there */
		}
		return;
	}
}

/* With a damaged one aside and nothing in its place a person decides: a new identity
 * would lock everybody out in silence. */
static bool awaits_a_copy(const char *path) {
	char damaged[PATH_MAX];
	text_format(damaged, sizeof(damaged), "%s" DATABASE_DAMAGED "-1", path);
	return access(path, F_OK) < 0 && access(damaged, F_OK) == 0;
}

/* SQLite gives its log and index files the mode of the database. */
static int make_file(const char *folder, char *out_path, size_t size) {
	int rc = make_folder(folder);
	if (rc < 0) {
		return rc;
	}
	if (!text_format(out_path, size, "%s/state.db", folder)) {
		return -ENAMETOOLONG;
	}
	if (awaits_a_copy(out_path)) {
		return -EBADMSG;
	}
	OWN(fd_close)
	int fd = open(out_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 || fchmod(fd, 0600) < 0 ? -errno : 0;
}

static int open_sqlite(struct database *database, const char *path) {
	int code = sqlite3_open_v2(path, &database->sqlite,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		return database_error(code);
	}
	sqlite3_busy_timeout(database->sqlite, BUSY_MS);
	int rc = database_run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
					"PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
					"PRAGMA cell_size_check = ON");
	if (rc == 0) {
		rc = database_check(database);
	}
	if (rc == 0) {
		rc = schema_migrate(database);
	}
	return rc == 0 ? ensure_identity(database) : rc;
}

static void explain(int rc, const char *folder, char *out) {
	static const struct {
		int error;
		const char *words;
	} rows[] = {
		{ EBADMSG, "state.db was damaged and is now state.db" DATABASE_DAMAGED
			   "-N: put a copy of `perigee backup` in its place, or move that away "
			   "too, to begin anew; folder " },
		{ ENOTSUP, "state.db was written by a newer Perigee: install that one again, or "
			   "move the file away; folder " },
		{ ENOSPC, "no room left on the disk of the state folder " },
		{ EBUSY, "another process holds state.db in " },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].error == -rc) {
			text_format(out, DATABASE_DETAIL_MAX, "%s%s", rows[i].words, folder);
			return;
		}
	}
	text_format(out, DATABASE_DETAIL_MAX,
			"%s: make the state folder writable for this user: %s", strerror(-rc),
			folder);
}

int database_open(const char *folder, struct database **out, char *out_detail) {
	out_detail[0] = '\0';
	struct database *database = calloc(1, sizeof(*database));
	if (!database) {
		return -ENOMEM;
	}
	char path[PATH_MAX] = ":memory:";
	int rc = folder ? make_file(folder, path, sizeof(path)) : 0;
	if (rc == 0) {
		rc = open_sqlite(database, path);
	}
	if (rc < 0) {
		explain(rc, folder ? folder : "in memory", out_detail);
		database_close(database);
		if (rc == -EBADMSG && folder && access(path, F_OK) == 0) {
			keep_aside(path);
		}
		return rc;
	}
	*out = database;
	return 0;
}

void database_close(struct database *database) {
	if (database) {
		sqlite3_close(database->sqlite);
		free(database);
	}
}

size_t column_bytes(sqlite3_stmt *statement, int column, void *out, size_t size) {
	const void *bytes = sqlite3_column_blob(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);
	len = len < size ? len : size;
	if (bytes) {
		memcpy(out, bytes, len);
	}
	return bytes ? len : 0;
}

void column_text(sqlite3_stmt *statement, int column, char *out, size_t size) {
	const char *text = (const char *)sqlite3_column_text(statement, column);
	text_copy(out, size, text ? text : "");
}

int database_identity(struct database *database, struct identity *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT certificate, key, host_id, web_key FROM identity", &statement);
	if (rc == 0) {
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	column_text(statement, 0, out->certificate, sizeof(out->certificate));
	column_text(statement, 1, out->key, sizeof(out->key));
	column_text(statement, 2, out->host_id, sizeof(out->host_id));
	column_text(statement, 3, out->web_key, sizeof(out->web_key));
	return 0;
}
