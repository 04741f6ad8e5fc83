/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "store/database_inside.h"

int database_client_next(
		struct database *database, const uint8_t *after, struct database_client *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT fingerprint, der, name, created_s, permissions FROM client"
			" WHERE fingerprint > ? ORDER BY fingerprint LIMIT 1",
			&statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, after ? (const void *)after : "", after ? 32 : 0,
				SQLITE_STATIC);
		rc = database_step(statement);
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
	int rc = database_prepare(
			database, "SELECT count(*) FROM client WHERE fingerprint <> ?", &statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, fingerprint, 32, SQLITE_STATIC);
		rc = database_step(statement);
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
		rc = database_prepare(database,
				"INSERT INTO client (fingerprint, der, name, created_s, "
				"permissions)"
				" VALUES (?, ?, ?, ?, ?)"
				" ON CONFLICT DO UPDATE SET name = excluded.name"
				" RETURNING created_s, permissions",
				&statement);
	}
	if (rc < 0) {
		return rc;
	}
	sqlite3_bind_blob(statement, 1, client->fingerprint, 32, SQLITE_STATIC);
	sqlite3_bind_blob(statement, 2, client->der, client->der_len, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, client->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, (sqlite3_int64)client->created_s);
	sqlite3_bind_int64(statement, 5, client->permissions & PERMIT_ALL);
	rc = database_step(statement);
	if (rc != 1) {
		return rc < 0 ? rc : -EIO;
	}
	uint64_t created_s = (uint64_t)sqlite3_column_int64(statement, 0);
	uint32_t permissions = (uint32_t)sqlite3_column_int64(statement, 1);
	rc = database_step(statement); /* the commit */
	if (rc == 0) {
		client->created_s = created_s;
		client->permissions = permissions;
	}
	return rc;
}

int database_client_remove(struct database *database, const uint8_t *fingerprint) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "DELETE FROM client WHERE fingerprint = ?", &statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, fingerprint, 32, SQLITE_STATIC);
		rc = database_step(statement);
	}
	if (rc == 0 && sqlite3_changes(database->sqlite) == 0) {
		rc = -ENOENT;
	}
	return rc;
}
