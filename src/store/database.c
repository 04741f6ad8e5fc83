/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "base/text.h"

struct database {
	sqlite3 *sqlite; /* owned */
};

enum {
	BUSY_MS = 1000,
};

/* Migration i brings schema i to schema i + 1. Rows are only ever appended. */
static const char *const migrations[] = {
	"CREATE TABLE identity ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" certificate TEXT NOT NULL, key TEXT NOT NULL,"
	" host_id TEXT NOT NULL, web_key TEXT NOT NULL);"
	"CREATE TABLE client ("
	" fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),"
	" der BLOB NOT NULL, name TEXT NOT NULL,"
	" created_s INTEGER NOT NULL, permissions INTEGER NOT NULL) WITHOUT ROWID;",
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

static int error_of(int code) {
	for (size_t i = 0; i < ARRAY_LEN(code_rows); i++) {
		if (code_rows[i].sqlite == (code & 0xff)) {
			return -code_rows[i].error;
		}
	}
	return -EIO;
}

static int run(struct database *database, const char *sql) {
	int code = sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : error_of(code);
}

OWN_DEFINE(sqlite3_stmt *, sqlite3_finalize)

static int prepare(struct database *database, const char *sql, sqlite3_stmt **out) {
	int code = sqlite3_prepare_v2(database->sqlite, sql, -1, out, NULL);
	return code == SQLITE_OK ? 0 : error_of(code);
}

/* 1 for a row, 0 at the end. */
static int step(sqlite3_stmt *statement) {
	int code = sqlite3_step(statement);
	if (code == SQLITE_ROW) {
		return 1;
	}
	return code == SQLITE_DONE ? 0 : error_of(code);
}

static int read_number(struct database *database, const char *sql, int64_t *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(database, sql, &statement);
	if (rc == 0) {
		rc = step(statement);
	}
	if (rc == 1) {
		*out = sqlite3_column_int64(statement, 0);
		return 0;
	}
	return rc < 0 ? rc : -ENOENT;
}

static int check_integrity(struct database *database) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(database, "PRAGMA integrity_check(1)", &statement);
	if (rc == 0) {
		rc = step(statement);
	}
	if (rc < 0) {
		return rc;
	}
	const char *text = rc == 1 ? (const char *)sqlite3_column_text(statement, 0) : NULL;
	return text && strcmp(text, "ok") == 0 ? 0 : -EBADMSG;
}

static int migrate_one(struct database *database, int64_t version) {
	char sql[64];
	text_format(sql, sizeof(sql), "PRAGMA user_version = %d; COMMIT", (int)version + 1);
	int rc = run(database, migrations[version]);
	if (rc == 0) {
		rc = run(database, sql);
	}
	return rc;
}

/* Each step is a transaction of its own; the version is looked at inside it, so
 * that two processes do not both do it. */
static int migrate(struct database *database) {
	for (;;) {
		int64_t version = 0;
		int rc = run(database, "BEGIN IMMEDIATE");
		if (rc < 0) {
			return rc;
		}
		rc = read_number(database, "PRAGMA user_version", &version);
		bool pending = rc == 0 && version < (int64_t)ARRAY_LEN(migrations);
		if (rc == 0 && (version < 0 || version > (int64_t)ARRAY_LEN(migrations))) {
			rc = -ENOTSUP;
		} else if (pending) {
			rc = migrate_one(database, version);
		}
		if (!pending || rc < 0) {
			int undone = run(database, "ROLLBACK");
			(void)undone; /* nothing was changed, or rc says why */
			return rc;
		}
	}
}

static int ensure_identity(struct database *database) {
	int64_t count = 0;
	int rc = read_number(database, "SELECT count(*) FROM identity", &count);
	if (rc < 0 || count > 0) {
		return rc;
	}
	struct identity identity;
	rc = identity_create(&identity);
	if (rc < 0) {
		return rc;
	}
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	rc = prepare(database, "INSERT INTO identity VALUES (1, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
			&statement);
	if (rc == 0) {
		sqlite3_bind_text(statement, 1, identity.certificate, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 2, identity.key, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, identity.host_id, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 4, identity.web_key, -1, SQLITE_STATIC);
		rc = step(statement);
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

/* SQLite gives its log and index files the mode of the database. */
static int make_file(const char *folder, char *out_path, size_t size) {
	int rc = make_folder(folder);
	if (rc < 0) {
		return rc;
	}
	if (!text_format(out_path, size, "%s/state.db", folder)) {
		return -ENAMETOOLONG;
	}
	OWN(fd_close)
	int fd = open(out_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 || fchmod(fd, 0600) < 0 ? -errno : 0;
}

static int open_sqlite(struct database *database, const char *path) {
	int code = sqlite3_open_v2(path, &database->sqlite,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		return error_of(code);
	}
	sqlite3_busy_timeout(database->sqlite, BUSY_MS);
	int rc = run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
			       "PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;"
			       "PRAGMA cell_size_check = ON");
	if (rc == 0) {
		rc = check_integrity(database);
	}
	if (rc == 0) {
		rc = migrate(database);
	}
	return rc == 0 ? ensure_identity(database) : rc;
}

static void explain(int rc, const char *folder, char *out) {
	static const struct {
		int error;
		const char *words;
	} rows[] = {
		{ EBADMSG, "state.db is damaged: put a copy of it back, or move it away and "
			   "pair every client again; folder " },
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

/* Text and bytes that other programs may have put there are cut to size. */
static size_t column_bytes(sqlite3_stmt *statement, int column, void *out, size_t size) {
	const void *bytes = sqlite3_column_blob(statement, column);
	size_t len = (size_t)sqlite3_column_bytes(statement, column);
	len = len < size ? len : size;
	if (bytes) {
		memcpy(out, bytes, len);
	}
	return bytes ? len : 0;
}

static void column_text(sqlite3_stmt *statement, int column, char *out, size_t size) {
	const char *text = (const char *)sqlite3_column_text(statement, column);
	text_copy(out, size, text ? text : "");
}

int database_identity(struct database *database, struct identity *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(database, "SELECT certificate, key, host_id, web_key FROM identity",
			&statement);
	if (rc == 0) {
		rc = step(statement);
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

int database_client_next(
		struct database *database, const uint8_t *after, struct database_client *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(database,
			"SELECT fingerprint, der, name, created_s, permissions FROM client"
			" WHERE fingerprint > ? ORDER BY fingerprint LIMIT 1",
			&statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, after ? (const void *)after : "", after ? 32 : 0,
				SQLITE_STATIC);
		rc = step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	*out = (struct database_client){ 0 };
	column_bytes(statement, 0, out->fingerprint, sizeof(out->fingerprint));
	out->der_len = (uint16_t)column_bytes(statement, 1, out->der, sizeof(out->der));
	column_text(statement, 2, out->name, sizeof(out->name));
	out->created_s = (uint64_t)sqlite3_column_int64(statement, 3);
	out->permissions = (uint32_t)sqlite3_column_int64(statement, 4);
	return 0;
}

static int has_room(struct database *database, const uint8_t *fingerprint) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(
			database, "SELECT count(*) FROM client WHERE fingerprint <> ?", &statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, fingerprint, 32, SQLITE_STATIC);
		rc = step(statement);
	}
	if (rc == 1) {
		rc = sqlite3_column_int64(statement, 0) < DATABASE_CLIENTS_MAX ? 0 : -ENOSPC;
	}
	return rc;
}

int database_client_add(struct database *database, struct database_client *client) {
	int rc = has_room(database, client->fingerprint);
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	if (rc == 0) {
		rc = prepare(database,
				"INSERT INTO client VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
				"SET"
				" name = excluded.name, permissions = excluded.permissions"
				" RETURNING created_s",
				&statement);
	}
	if (rc < 0) {
		return rc;
	}
	sqlite3_bind_blob(statement, 1, client->fingerprint, 32, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 2, client->der, client->der_len, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, client->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)client->created_s);
	sqlite3_bind_int64(statement, 5, client->permissions);
	rc = step(statement);
	if (rc != 1) {
		return rc < 0 ? rc : -EIO;
	}
	uint64_t created_s = (uint64_t)sqlite3_column_int64(statement, 0);
	rc = step(statement); /* the commit */
	if (rc == 0) {
		client->created_s = created_s;
	}
	return rc;
}

int database_client_remove(struct database *database, const uint8_t *fingerprint) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = prepare(database, "DELETE FROM client WHERE fingerprint = ?", &statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, fingerprint, 32, SQLITE_STATIC);
		rc = step(statement);
	}
	if (rc == 0 && sqlite3_changes(database->sqlite) == 0) {
		rc = -ENOENT;
	}
	return rc;
}
