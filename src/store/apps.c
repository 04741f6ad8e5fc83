/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/random.h"
#include "base/text.h"
#include "ipc/message.h"
#include "store/database_inside.h"

#define COLUMNS \
	"app, id, profile, title, icon, hdr, restart, runner, image," \
	" argv, env, mounts, devices, ports, base, kept"

/* Where a message has the blobs, in the order of the columns behind `image`. */
static const struct blob_row {
	size_t at, size, len_at;
} blobs[] = {
#define BLOB(member) \
	{ \
		offsetof(struct ipc_message, app.member), \
				sizeof(((struct ipc_message *)0)->app.member), \
				offsetof(struct ipc_message, app.member##_len) \
	}
	BLOB(argv),
	BLOB(how.env),
	BLOB(how.mounts),
	BLOB(how.devices),
	BLOB(how.ports),
	BLOB(how.base),
	BLOB(kept),
#undef BLOB
};

enum {
	COLUMN_BLOBS = 9, /* of the first one, from 0 */
};

static void read_row(sqlite3_stmt *statement, struct ipc_message *out) {
	*out = (struct ipc_message){ .kind = IPC_APP };
	out->app.app = sqlite3_column_int(statement, 0);
	column_text(statement, 1, out->app.id, sizeof(out->app.id));
	column_text(statement, 2, out->app.profile, sizeof(out->app.profile));
	column_text(statement, 3, out->app.title, sizeof(out->app.title));
	column_text(statement, 4, out->app.icon, sizeof(out->app.icon));
	out->app.hdr = sqlite3_column_int(statement, 5) != 0;
	out->app.restart = sqlite3_column_int(statement, 6) != 0;
	column_text(statement, 7, out->app.how.runner, sizeof(out->app.how.runner));
	column_text(statement, 8, out->app.how.image, sizeof(out->app.how.image));
	for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
		uint16_t len = (uint16_t)column_bytes(statement, COLUMN_BLOBS + (int)i,
				(uint8_t *)out + blobs[i].at, blobs[i].size);
		memcpy((uint8_t *)out + blobs[i].len_at, &len, sizeof(len));
	}
}

int database_app_next(struct database *database, int32_t after, struct ipc_message *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT " COLUMNS " FROM app WHERE app > ? ORDER BY app LIMIT 1",
			&statement);
	if (rc == 0) {
		sqlite3_bind_int(statement, 1, after);
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	read_row(statement, out);
	return 0;
}

static int number_of(struct database *database, const char *id, int32_t *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "SELECT app FROM app WHERE id = ?", &statement);
	if (rc == 0) {
		bind_text(statement, 1, id);
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	*out = sqlite3_column_int(statement, 0);
	return 0;
}

static int has_number(struct database *database, int32_t app) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "SELECT 1 FROM app WHERE app = ?", &statement);
	if (rc == 0) {
		sqlite3_bind_int(statement, 1, app);
		rc = database_step(statement);
	}
	return rc;
}

/* 1 when there is one; its id is put where none was given. */
static int id_of(struct database *database, int32_t app, struct ipc_message *put) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "SELECT id FROM app WHERE app = ?", &statement);
	if (rc == 0) {
		sqlite3_bind_int(statement, 1, app);
		rc = database_step(statement);
	}
	if (rc == 1 && !put->app.id[0]) {
		column_text(statement, 0, put->app.id, sizeof(put->app.id));
	}
	return rc;
}

/* Moonlight wants a positive number of 31 bits; one at random meets no configured app's. */
static int choose_number(struct database *database, int32_t *out) {
	int rc;
	do {
		uint32_t number;
		random_fill(&number, sizeof(number));
		*out = (int32_t)(number >> 1);
		rc = *out > 0 ? has_number(database, *out) : 1;
	} while (rc == 1);
	return rc;
}

/* Whose place it takes: by number, else by id; else a new one's. */
static int settle_names(struct database *database, struct ipc_message *put) {
	int32_t named = 0;
	int rc = put->app.id[0] ? number_of(database, put->app.id, &named) : -ENOENT;
	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	if (rc == 0 && put->app.app && put->app.app != named) {
		return -EEXIST;
	}
	if (rc == 0) {
		put->app.app = named;
		return 1;
	}
	rc = put->app.app ? id_of(database, put->app.app, put)
			  : choose_number(database, &put->app.app);
	if (rc >= 0 && !put->app.id[0]) {
		text_format(put->app.id, sizeof(put->app.id), "%d", put->app.app);
	}
	return rc;
}

static int has_room(struct database *database) {
	int64_t count = 0;
	int rc = database_number(database, "SELECT count(*) FROM app", &count);
	return rc == 0 && count >= DATABASE_APPS_MAX ? -ENOSPC : rc;
}

static int has_profile(struct database *database, const char *profile) {
	if (!profile[0]) {
		return 0;
	}
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database, "SELECT 1 FROM profile WHERE id = ?", &statement);
	if (rc == 0) {
		bind_text(statement, 1, profile);
		rc = database_step(statement);
	}
	return rc == 1 ? 0 : rc < 0 ? rc : -ENOENT;
}

static int write_row(struct database *database, const struct ipc_message *put) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"INSERT OR REPLACE INTO app (" COLUMNS
			") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			&statement);
	if (rc < 0) {
		return rc;
	}
	sqlite3_bind_int(statement, 1, put->app.app);
	const char *texts[] = { put->app.id, put->app.profile, put->app.title, put->app.icon };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		bind_text(statement, 2 + (int)i, texts[i]);
	}
	sqlite3_bind_int(statement, 6, put->app.hdr);
	sqlite3_bind_int(statement, 7, put->app.restart);
	bind_text(statement, 8, put->app.how.runner);
	bind_text(statement, 9, put->app.how.image);
	for (size_t i = 0; i < ARRAY_LEN(blobs); i++) {
		uint16_t len;
		memcpy(&len, (const uint8_t *)put + blobs[i].len_at, sizeof(len));
		bind_blob(statement, 1 + COLUMN_BLOBS + (int)i, (const uint8_t *)put + blobs[i].at,
				len);
	}
	return database_step(statement);
}

int database_app_put(struct database *database, struct ipc_message *put) {
	int rc = database_begin(database);
	if (rc < 0) {
		return rc;
	}
	rc = has_profile(database, put->app.profile);
	if (rc == 0) {
		rc = settle_names(database, put);
	}
	if (rc == 0) {
		rc = has_room(database);
	}
	if (rc >= 0) {
		rc = write_row(database, put);
	}
	return database_end(database, rc);
}

int database_app_remove(struct database *database, int32_t *app, const char *id) {
	int rc = *app ? 0 : number_of(database, id, app);
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	if (rc == 0) {
		rc = database_prepare(database, "DELETE FROM app WHERE app = ?", &statement);
	}
	if (rc == 0) {
		sqlite3_bind_int(statement, 1, *app);
		rc = database_step(statement);
	}
	if (rc == 0 && sqlite3_changes(database->sqlite) == 0) {
		rc = -ENOENT;
	}
	return rc;
}
