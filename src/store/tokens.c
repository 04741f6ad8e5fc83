/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "ipc/message.h"
#include "store/database_inside.h"

/* Tokens of programs: their hashes, so that a copy of the file lets nobody in. */

int database_token_next(struct database *database, const uint8_t *after, struct ipc_message *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT hash, name, scopes, created_s FROM token WHERE hash > ?"
			" ORDER BY hash LIMIT 1",
			&statement);
	if (rc == 0) {
		bind_blob(statement, 1, after, after ? 32 : 0);
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	*out = (struct ipc_message){ .kind = IPC_TOKEN };
	column_bytes(statement, 0, out->token.hash, sizeof(out->token.hash));
	column_text(statement, 1, out->token.name, sizeof(out->token.name));
	out->token.scopes = (uint32_t)sqlite3_column_int64(statement, 2);
	out->token.created_s = (uint64_t)sqlite3_column_int64(statement, 3);
	return 0;
}

int database_token_add(struct database *database, const struct ipc_message *add) {
	int64_t count = 0;
	int rc = database_number(database, "SELECT count(*) FROM token", &count);
	if (rc == 0 && count >= DATABASE_TOKENS_MAX) {
		return -ENOSPC;
	}
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	if (rc == 0) {
		rc = database_prepare(database, "INSERT OR REPLACE INTO token VALUES (?, ?, ?, ?)",
				&statement);
	}
	if (rc == 0) {
		bind_blob(statement, 1, add->token.hash, sizeof(add->token.hash));
		bind_text(statement, 2, add->token.name);
		sqlite3_bind_int64(statement, 3, add->token.scopes);
		sqlite3_bind_int64(statement, 4, (int64_t)add->token.created_s);
		rc = database_step(statement);
	}
	return rc;
}

int database_token_remove(struct database *database, const uint8_t hash[32]) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "DELETE FROM token WHERE hash = ?", &statement);
	if (rc == 0) {
		bind_blob(statement, 1, hash, 32);
		rc = database_step(statement);
	}
	return rc == 0 && sqlite3_changes(database->sqlite) == 0 ? -ENOENT : rc;
}
