/* SPDX-License-Identifier: MIT */
#include "supervisor/config_clients.h"

#include <string.h>

#include <cyaml/cyaml.h>

#include "base/number.h"
#include "base/text.h"
#include "ipc/client_words.h"
#include "supervisor/apps.h"
#include "supervisor/config.h"

/* clang-format off */
#define OPT (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define ROW struct file_client
#define WORDS(key, member) CYAML_FIELD_SEQUENCE_COUNT(key, OPT, ROW, member, member##_count, &word, 1, IPC_APPS_NAMED_MAX)
#define NUMBER(key, member) CYAML_FIELD_UINT_PTR(key, OPT, ROW, member)
#define SCALE(key, member) CYAML_FIELD_FLOAT_PTR(key, OPT, ROW, member)
#define WORD(key, member) CYAML_FIELD_STRING_PTR(key, OPT, ROW, member, 1, CONFIG_PATH_MAX)

static const cyaml_schema_value_t word = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CONFIG_PATH_MAX),
};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, ROW, name, 1, CONFIG_PATH_MAX),
	WORDS("permissions", permissions),
	WORDS("only_apps", only_apps),
	WORDS("only_lobbies", only_lobbies),
	WORDS("controllers_override", controllers),
	WORD("motion_controller_override", motion),
	SCALE("mouse_acceleration", mouse),
	SCALE("v_scroll_acceleration", scroll),
	SCALE("h_scroll_acceleration", scroll_side),
	NUMBER("run_uid", run_uid),
	NUMBER("run_gid", run_gid),
	WORD("app_state_folder", folder),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_clients_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, ROW, fields),
};
/* clang-format on */

/* No limit, where a list has one: an empty list cannot be told from none. */
static bool is_all(const char *first) {
	return strcmp(first, "all") == 0;
}

static int move_permissions(
		const struct file_client *row, client_settings *to, struct config_text *error) {
	for (unsigned i = 0; i < row->permissions_count; i++) {
		uint32_t bit = client_permission(row->permissions[i]);
		bool all = is_all(row->permissions[i]);
		if (!bit && !all && strcmp(row->permissions[i], "none") != 0) {
			return config_refuse(error,
					"permissions: \"%s\" is not one of " CLIENT_PERMISSIONS
					", all, none",
					row->permissions[i]);
		}
		bit = all ? PERMIT_ALL : bit;
		to->permissions |= bit;
	}
	to->fields |= row->permissions ? SETTING_PERMISSIONS : 0;
	return 0;
}

static int move_lobbies(
		const struct file_client *row, client_settings *to, struct config_text *error) {
	for (unsigned i = 0; i < row->only_lobbies_count && !is_all(row->only_lobbies[0]); i++) {
		size_t len = strlen(row->only_lobbies[i]) + 1;
		if (to->lobbies_len + len > sizeof(to->lobbies)) {
			return config_refuse(error, "only_lobbies: at most %zu bytes together",
					sizeof(to->lobbies));
		}
		memcpy(to->lobbies + to->lobbies_len, row->only_lobbies[i], len);
		to->lobbies_len = (uint16_t)(to->lobbies_len + len);
	}
	to->fields |= row->only_lobbies ? SETTING_LOBBIES : 0;
	return 0;
}

static int move_pads(
		const struct file_client *row, client_settings *to, struct config_text *error) {
	static const char words[] = "AUTO, XBOX, PS, NINTENDO";
	if (row->controllers_count > IPC_PADS_MAX) {
		return config_refuse(error, "controllers_override: at most %u", IPC_PADS_MAX);
	}
	for (unsigned i = 0; i < row->controllers_count; i++) {
		if (client_pad(row->controllers[i], &to->controllers[i]) < 0) {
			return config_refuse(error, "controllers_override: \"%s\" is not one of %s",
					row->controllers[i], words);
		}
	}
	to->controllers_count = (uint8_t)row->controllers_count;
	to->fields |= row->controllers ? SETTING_CONTROLLERS : 0;
	if (row->motion && client_pad(row->motion, &to->motion) < 0) {
		return config_refuse(error, "motion_controller_override: \"%s\" is not one of %s",
				row->motion, words);
	}
	to->fields |= row->motion ? SETTING_MOTION : 0;
	return 0;
}

static int move_numbers(
		const struct file_client *row, client_settings *to, struct config_text *error) {
	const struct {
		const char *key;
		const double *from;
		uint32_t *to, field;
	} scales[] = {
		{ "mouse_acceleration", row->mouse, &to->mouse_milli, SETTING_MOUSE },
		{ "v_scroll_acceleration", row->scroll, &to->scroll_milli, SETTING_SCROLL },
		{ "h_scroll_acceleration", row->scroll_side, &to->scroll_side_milli,
				SETTING_SCROLL_SIDE },
	};
	for (size_t i = 0; i < ARRAY_LEN(scales); i++) {
		if (!scales[i].from) {
			continue;
		}
		if (!(*scales[i].from >= 0.01 && *scales[i].from <= 100)) {
			return config_refuse(
					error, "%s must lie between 0.01 and 100", scales[i].key);
		}
		*scales[i].to = (uint32_t)(*scales[i].from * 1000 + 0.5);
		to->fields |= scales[i].field;
	}
	to->run_uid = row->run_uid ? *row->run_uid : 0;
	to->run_gid = row->run_gid ? *row->run_gid : 0;
	to->fields |= (row->run_uid ? SETTING_RUN_UID : 0) | (row->run_gid ? SETTING_RUN_GID : 0);
	if ((row->run_uid && (*row->run_uid == 0 || *row->run_uid == UINT32_MAX)) ||
			(row->run_gid && (*row->run_gid == 0 || *row->run_gid == UINT32_MAX))) {
		return config_refuse(error, "%s: 0 would be root",
				row->run_uid && *row->run_uid == 0 ? "run_uid" : "run_gid");
	}
	return 0;
}

/* One folder below another: no way out of it, and nothing hidden. */
static int move_folder(
		const struct file_client *row, client_settings *to, struct config_text *error) {
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.";
	if (!row->folder) {
		return 0;
	}
	if (row->folder[0] == '.' || row->folder[strspn(row->folder, plain)] ||
			!text_copy(to->folder, sizeof(to->folder), row->folder)) {
		return config_refuse(error, "app_state_folder: at most 95 letters, digits, '-', "
					    "'_' and '.', not a '.' first");
	}
	to->fields |= SETTING_FOLDER;
	return 0;
}

static int move_one(
		struct file_client *row, struct config_client *client, struct config_text *error) {
	client_settings *to = &client->settings;
	if (!text_is_printable(row->name, strlen(row->name)) ||
			!text_copy(to->name, sizeof(to->name), row->name)) {
		return config_refuse(error, "name must be 1 to 63 printable characters");
	}
	client->only_apps = TAKE(row->only_apps, NULL);
	client->only_apps_count = TAKE(row->only_apps_count, 0);
	to->fields |= client->only_apps ? SETTING_APPS : 0;
	int rc = move_permissions(row, to, error);
	rc = rc < 0 ? rc : move_lobbies(row, to, error);
	rc = rc < 0 ? rc : move_pads(row, to, error);
	rc = rc < 0 ? rc : move_numbers(row, to, error);
	return rc < 0 ? rc : move_folder(row, to, error);
}

int config_clients_move(struct file_client *rows, unsigned count, struct config *config,
		struct config_text *error) {
	if (count == 0) {
		return 0;
	}
	config->clients = calloc(count, sizeof(*config->clients));
	if (!config->clients) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < count; i++) {
		struct config_text found = { "" };
		if (move_one(&rows[i], &config->clients[config->clients_count++], &found) < 0) {
			return config_refuse(error, "clients[%u].%.900s", i, found.text);
		}
	}
	return 0;
}

/* 0 where there is none. */
static int32_t app_named(const struct config *config, const char *said) {
	int64_t number;
	for (unsigned i = 0; i < config->apps_count; i++) {
		if (strcmp(config->apps[i].title, said) == 0) {
			return config->apps[i].id;
		}
	}
	if (apps_is_built_in(said)) {
		return config_app_id(said);
	}
	return number_parse(said, strlen(said), 1, INT32_MAX, &number) < 0 ? 0 : (int32_t)number;
}

static int find_apps(const struct config *config, struct config_client *client,
		struct config_text *error) {
	client_settings *to = &client->settings;
	to->apps_count = 0;
	for (unsigned i = 0; i < client->only_apps_count && !is_all(client->only_apps[0]); i++) {
		int32_t app = app_named(config, client->only_apps[i]);
		if (app == 0) {
			return config_refuse(error,
					"only_apps: there is no app \"%s\"; say its title, or the "
					"number that `perigee apps` shows",
					client->only_apps[i]);
		}
		to->apps[to->apps_count++] = app;
	}
	return 0;
}

int config_clients_check(struct config *config, struct config_text *error) {
	for (unsigned i = 0; i < config->clients_count; i++) {
		struct config_client *client = &config->clients[i];
		struct config_text found = { "" };
		if (find_apps(config, client, &found) < 0) {
			return config_refuse(error, "clients[%u].%.900s", i, found.text);
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(config->clients[j].settings.name, client->settings.name) == 0) {
				return config_refuse(error,
						"clients[%u].name: \"%s\" is there twice; leave "
						"one",
						i, client->settings.name);
			}
		}
	}
	return 0;
}

uint32_t config_clients_lay_over(const struct config *config, client_settings *settings) {
	const client_settings *from = NULL;
	uint32_t changed = 0;
	for (unsigned i = 0; i < config->clients_count; i++) {
		const client_settings *one = &config->clients[i].settings;
		from = strcmp(one->name, settings->name) == 0 ? one : from;
	}
#define LAY(bit, member) \
	do { \
		if (from && (from->fields & (bit)) && settings->member != from->member) { \
			settings->member = from->member; \
			changed |= (bit); \
		} \
	} while (0)
#define LAY_LIST(bit, count, member) \
	do { \
		if (from && (from->fields & (bit)) && \
				(settings->count != from->count || \
						memcmp(settings->member, from->member, \
								from->count * sizeof(from->member[0])) != \
								0)) { \
			settings->count = from->count; \
			memcpy(settings->member, from->member, sizeof(from->member)); \
			changed |= (bit); \
		} \
	} while (0)
	LAY(SETTING_PERMISSIONS, permissions);
	LAY(SETTING_RUN_UID, run_uid);
	LAY(SETTING_RUN_GID, run_gid);
	LAY(SETTING_MOUSE, mouse_milli);
	LAY(SETTING_SCROLL, scroll_milli);
	LAY(SETTING_SCROLL_SIDE, scroll_side_milli);
	LAY(SETTING_MOTION, motion);
	LAY_LIST(SETTING_CONTROLLERS, controllers_count, controllers);
	LAY_LIST(SETTING_APPS, apps_count, apps);
	LAY_LIST(SETTING_LOBBIES, lobbies_len, lobbies);
	if (from && (from->fields & SETTING_FOLDER) &&
			strcmp(settings->folder, from->folder) != 0) {
		text_copy(settings->folder, sizeof(settings->folder), from->folder);
		changed |= SETTING_FOLDER;
	}
#undef LAY
#undef LAY_LIST
	return changed;
}

bool config_clients_same(const struct config *one, const struct config *other) {
	bool same = one->clients_count == other->clients_count;
	for (unsigned i = 0; same && i < one->clients_count; i++) {
		same = memcmp(&one->clients[i].settings, &other->clients[i].settings,
				       sizeof(client_settings)) == 0;
	}
	return same;
}

void config_clients_free(struct config_client *clients, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < clients[i].only_apps_count; j++) {
			free(clients[i].only_apps[j]);
		}
		free(clients[i].only_apps);
	}
	free(clients);
}
