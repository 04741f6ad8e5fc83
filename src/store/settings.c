/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "store/database_inside.h"

int database_settings(
		struct database *database, const uint8_t *fingerprint, struct ipc_message *out) {
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"SELECT name, permissions, run_uid, run_gid, mouse_milli, scroll_milli,"
			" scroll_side_milli, motion, controllers, folder, apps, lobbies"
			" FROM client WHERE fingerprint = ?",
			&statement);
	if (rc == 0) {
		sqlite3_bind_blob(statement, 1, fingerprint, 32, SQLITE_STATIC);
		rc = database_step(statement);
	}
	if (rc != 1) {
		return rc < 0 ? rc : -ENOENT;
	}
	*out = (struct ipc_message){ .kind = IPC_CLIENT_SETTINGS };
	__typeof__(out->client_settings) *settings = &out->client_settings;
	memcpy(settings->client, fingerprint, 32);
	settings->fields = SETTING_ALL;
	column_text(statement, 0, settings->name, sizeof(settings->name));
	settings->permissions = (uint32_t)sqlite3_column_int64(statement, 1) & PERMIT_ALL;
	settings->run_uid = (uint32_t)sqlite3_column_int64(statement, 2);
	settings->run_gid = (uint32_t)sqlite3_column_int64(statement, 3);
	settings->mouse_milli = (uint32_t)sqlite3_column_int64(statement, 4);
	settings->scroll_milli = (uint32_t)sqlite3_column_int64(statement, 5);
	settings->scroll_side_milli = (uint32_t)sqlite3_column_int64(statement, 6);
	int64_t motion = sqlite3_column_int64(statement, 7);
	settings->motion = motion > 0 && motion < PADS ? (uint8_t)motion : PAD_AUTO;
	settings->controllers_count = (uint8_t)column_bytes(
			statement, 8, settings->controllers, sizeof(settings->controllers));
	column_text(statement, 9, settings->folder, sizeof(settings->folder));
	size_t bytes = column_bytes(statement, 10, settings->apps, sizeof(settings->apps));
	settings->apps_count = (uint8_t)(bytes / sizeof(settings->apps[0]));
	settings->lobbies_len = (uint16_t)column_bytes(
			statement, 11, settings->lobbies, sizeof(settings->lobbies));
	return 0;
}

/* What of the change is taken, over what is there. */
static void lay_over(struct ipc_message *kept, const struct ipc_message *change) {
	__typeof__(kept->client_settings) *to = &kept->client_settings;
	const __typeof__(kept->client_settings) *from = &change->client_settings;
#define TAKE_OVER(bit, member) \
	do { \
		if (from->fields & (bit)) { \
			memcpy(&to->member, &from->member, sizeof(to->member)); \
		} \
	} while (0)
	TAKE_OVER(SETTING_NAME, name);
	TAKE_OVER(SETTING_PERMISSIONS, permissions);
	TAKE_OVER(SETTING_RUN_UID, run_uid);
	TAKE_OVER(SETTING_RUN_GID, run_gid);
	TAKE_OVER(SETTING_MOUSE, mouse_milli);
	TAKE_OVER(SETTING_SCROLL, scroll_milli);
	TAKE_OVER(SETTING_SCROLL_SIDE, scroll_side_milli);
	TAKE_OVER(SETTING_MOTION, motion);
	TAKE_OVER(SETTING_CONTROLLERS, controllers_count);
	TAKE_OVER(SETTING_CONTROLLERS, controllers);
	TAKE_OVER(SETTING_FOLDER, folder);
	TAKE_OVER(SETTING_APPS, apps_count);
	TAKE_OVER(SETTING_APPS, apps);
	TAKE_OVER(SETTING_LOBBIES, lobbies_len);
	TAKE_OVER(SETTING_LOBBIES, lobbies);
#undef TAKE_OVER
}

static int write_all(struct database *database, const struct ipc_message *message) {
	const __typeof__(message->client_settings) *settings = &message->client_settings;
	OWN(sqlite3_finalize) sqlite3_stmt *statement = NULL;
	int rc = database_prepare(database,
			"UPDATE client SET name = ?2, permissions = ?3, run_uid = ?4, run_gid = ?5,"
			" mouse_milli = ?6, scroll_milli = ?7, scroll_side_milli = ?8, motion = ?9,"
			" controllers = ?10, folder = ?11, apps = ?12, lobbies = ?13"
			" WHERE fingerprint = ?1",
			&statement);
	if (rc < 0) {
		return rc;
	}
	sqlite3_bind_blob(statement, 1, settings->client, 32, SQLITE_STATIC);
	bind_text(statement, 2, settings->name);
	sqlite3_bind_int64(statement, 3, settings->permissions);
	sqlite3_bind_int64(statement, 4, settings->run_uid);
	sqlite3_bind_int64(statement, 5, settings->run_gid);
	sqlite3_bind_int64(statement, 6, settings->mouse_milli);
	sqlite3_bind_int64(statement, 7, settings->scroll_milli);
	sqlite3_bind_int64(statement, 8, settings->scroll_side_milli);
	sqlite3_bind_int64(statement, 9, settings->motion);
	bind_blob(statement, 10, settings->controllers, settings->controllers_count);
	bind_text(statement, 11, settings->folder);
	bind_blob(statement, 12, settings->apps, settings->apps_count * sizeof(settings->apps[0]));
	bind_blob(statement, 13, settings->lobbies, settings->lobbies_len);
	return database_step(statement);
}

int database_settings_change(struct database *database, const struct ipc_message *change) {
	int rc = database_begin(database);
	if (rc < 0) {
		return rc;
	}
	struct ipc_message kept;
	rc = database_settings(database, change->client_settings.client, &kept);
	if (rc == 0) {
		lay_over(&kept, change);
		rc = write_all(database, &kept);
	}
	return database_end(database, rc);
}
