/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/random.h"
#include "base/text.h"
#include "ipc/message.h"
#include "store/database_inside.h"

enum {
	PIN_ROUNDS = 100000,
	PIN_SALT = 16,
	PIN_HASH = 32,
};

int database_profile_next(struct database *database, const char *after, struct ipc_message *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT id, name, icon, length(pin) > 0 FROM profile"
			" WHERE id > ? ORDER BY id LIMIT 1",
			&statement);
	if (rc == 0) {
		bind_text(statement, 1, after ? after : "");
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	*out = (struct ipc_message){ .kind = IPC_PROFILE };
	column_text(statement, 0, out->profile.id, sizeof(out->profile.id));
	column_text(statement, 1, out->profile.name, sizeof(out->profile.name));
	column_text(statement, 2, out->profile.icon, sizeof(out->profile.icon));
	out->profile.has_pin = sqlite3_column_int(statement, 3) != 0;
	return 0;
}

static int hash_pin(const char *pin, const uint8_t *salt, uint8_t *out) {
	return PKCS5_PBKDF2_HMAC(pin, (int)strlen(pin), salt, PIN_SALT, PIN_ROUNDS, EVP_sha256(),
			       PIN_HASH, out)
			       ? 0
			       : -ENOMEM;
}

static int may_add(struct database *database, const char *id) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(
			database, "SELECT count(*) FROM profile WHERE id <> ?", &statement);
	if (rc == 0) {
		bind_text(statement, 1, id);
		rc = database_step(statement);
	}
	if (rc == 1) {
		rc = sqlite3_column_int64(statement, 0) < DATABASE_PROFILES_MAX ? 0 : -ENOSPC;
	}
	return rc;
}

int database_profile_put(struct database *database, const struct ipc_message *put) {
	const __typeof__(put->profile) *profile = &put->profile;
	uint8_t salt[PIN_SALT] = { 0 }, hash[PIN_HASH] = { 0 };
	bool keep = profile->has_pin && !profile->pin[0];
	int rc = may_add(database, profile->id);
	if (rc == 0 && profile->pin[0]) {
		random_fill(salt, sizeof(salt));
		rc = hash_pin(profile->pin, salt, hash);
	}
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	if (rc == 0) {
		rc = database_prepare(database,
				keep ? "INSERT INTO profile VALUES (?, ?, ?, ?, ?) ON CONFLICT DO"
				       " UPDATE SET name = excluded.name, icon = excluded.icon"
				     : "INSERT OR REPLACE INTO profile VALUES (?, ?, ?, ?, ?)",
				&statement);
	}
	if (rc == 0) {
		bool has = profile->pin[0];
		bind_text(statement, 1, profile->id);
		bind_text(statement, 2, profile->name);
		bind_text(statement, 3, profile->icon);
		bind_blob(statement, 4, salt, has ? sizeof(salt) : 0);
		bind_blob(statement, 5, hash, has ? sizeof(hash) : 0);
		rc = database_step(statement);
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	return rc;
}

static int remove_rows(struct database *database, const char *sql, const char *id) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, sql, &statement);
	if (rc == 0) {
		bind_text(statement, 1, id);
		rc = database_step(statement);
	}
	return rc;
}

int database_profile_remove(struct database *database, const char *id) {
	int rc = database_begin(database);
	if (rc < 0) {
		return rc;
	}
	rc = remove_rows(database, "DELETE FROM app WHERE profile = ?", id);
	if (rc == 0) {
		rc = remove_rows(database, "DELETE FROM profile WHERE id = ?", id);
	}
	if (rc == 0 && sqlite3_changes(database->sqlite) == 0) {
		rc = -ENOENT;
	}
	return database_end(database, rc);
}

int database_profile_pin(struct database *database, const char *id, const char *pin) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(
			database, "SELECT salt, pin FROM profile WHERE id = ?", &statement);
	if (rc == 0) {
		bind_text(statement, 1, id);
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	uint8_t salt[PIN_SALT] = { 0 }, kept[PIN_HASH] = { 0 }, hash[PIN_HASH];
	column_bytes(statement, 0, salt, sizeof(salt));
	if (column_bytes(statement, 1, kept, sizeof(kept)) == 0) {
		return 0;
	}
	rc = hash_pin(pin, salt, hash);
	if (rc == 0 && CRYPTO_memcmp(hash, kept, sizeof(hash)) != 0) {
		rc = -EACCES;
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	return rc;
}

bool database_profile_same(struct database *database, const struct ipc_message *put) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	const __typeof__(put->profile) *profile = &put->profile;
	int rc = database_prepare(database,
			"SELECT name = ? AND icon = ? AND (length(pin) > 0) = ? FROM profile"
			" WHERE id = ?",
			&statement);
	if (rc == 0) {
		bind_text(statement, 1, profile->name);
		bind_text(statement, 2, profile->icon);
		sqlite3_bind_int(statement, 3, profile->pin[0] != '\0');
		bind_text(statement, 4, profile->id);
		rc = database_step(statement);
	}
	return rc == 1 && sqlite3_column_int(statement, 0) != 0 &&
	       (!profile->pin[0] || database_profile_pin(database, profile->id, profile->pin) == 0);
}
