/* SPDX-License-Identifier: MIT */
#include "store/schema.h"

#include "base/text.h"
#include "store/database_inside.h"

/* Migration i brings schema i to schema i + 1. Rows are only ever appended, and each
 * has a test that starts from a file of the schema before it. */
static const char *const migrations[] = {
	"CREATE TABLE identity ("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" certificate TEXT NOT NULL, key TEXT NOT NULL,"
	" host_id TEXT NOT NULL, web_key TEXT NOT NULL);"
	"CREATE TABLE client ("
	" fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),"
	" der BLOB NOT NULL, name TEXT NOT NULL,"
	" created_s INTEGER NOT NULL, permissions INTEGER NOT NULL) WITHOUT ROWID;",

	/* What a client may and how it likes it; profiles; apps made by programs. */
	"UPDATE client SET permissions = permissions & 511;"
	"ALTER TABLE client ADD COLUMN run_uid INTEGER NOT NULL DEFAULT 1000;"
	"ALTER TABLE client ADD COLUMN run_gid INTEGER NOT NULL DEFAULT 1000;"
	"ALTER TABLE client ADD COLUMN mouse_milli INTEGER NOT NULL DEFAULT 1000;"
	"ALTER TABLE client ADD COLUMN scroll_milli INTEGER NOT NULL DEFAULT 1000;"
	"ALTER TABLE client ADD COLUMN scroll_side_milli INTEGER NOT NULL DEFAULT 1000;"
	"ALTER TABLE client ADD COLUMN motion INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE client ADD COLUMN controllers BLOB NOT NULL DEFAULT x'';"
	"ALTER TABLE client ADD COLUMN folder TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE client ADD COLUMN apps BLOB NOT NULL DEFAULT x'';"
	"ALTER TABLE client ADD COLUMN lobbies BLOB NOT NULL DEFAULT x'';"
	"CREATE TABLE profile ("
	" id TEXT PRIMARY KEY CHECK (length(id) > 0), name TEXT NOT NULL, icon TEXT NOT NULL,"
	" salt BLOB NOT NULL, pin BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE app ("
	" app INTEGER PRIMARY KEY CHECK (app > 0), id TEXT NOT NULL UNIQUE,"
	" profile TEXT NOT NULL, title TEXT NOT NULL, icon TEXT NOT NULL,"
	" hdr INTEGER NOT NULL, restart INTEGER NOT NULL, runner TEXT NOT NULL,"
	" image TEXT NOT NULL, argv BLOB NOT NULL, env BLOB NOT NULL, mounts BLOB NOT NULL,"
	" devices BLOB NOT NULL, ports BLOB NOT NULL, base BLOB NOT NULL, kept BLOB NOT NULL);",

	/* Programs' tokens, hashed. */
	"CREATE TABLE token ("
	" hash BLOB PRIMARY KEY CHECK (length(hash) = 32), name TEXT NOT NULL,"
	" scopes INTEGER NOT NULL, created_s INTEGER NOT NULL) WITHOUT ROWID;",
};

int schema_newest(void) {
	return (int)ARRAY_LEN(migrations);
}

static int migrate_one(struct database *database, int64_t version) {
	char sql[64];
	text_format(sql, sizeof(sql), "PRAGMA user_version = %d; COMMIT", (int)version + 1);
	int rc = database_run(database, migrations[version]);
	if (rc == 0) {
		rc = database_run(database, sql);
	}
	return rc;
}

/* The version is looked at inside the transaction, so that two processes do not both
 * do a step. */
int schema_migrate(struct database *database) {
	for (;;) {
		int64_t version = 0;
		int rc = database_run(database, "BEGIN IMMEDIATE");
		if (rc < 0) {
			return rc;
		}
		rc = database_number(database, "PRAGMA user_version", &version);
		bool pending = rc == 0 && version < (int64_t)ARRAY_LEN(migrations);
		if (rc == 0 && (version < 0 || version > (int64_t)ARRAY_LEN(migrations))) {
			rc = -ENOTSUP;
		} else if (pending) {
			rc = migrate_one(database, version);
		}
		if (!pending || rc < 0) {
			int undone = database_run(database, "ROLLBACK");
			(void)undone; /* nothing was changed, or rc says why */
			return rc;
		}
	}
}
