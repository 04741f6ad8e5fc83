/* SPDX-License-Identifier: MIT */
#include "supervisor/config_check.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/config.h"
#include "supervisor/config_explain.h"

static int check_apps(struct config *config, struct config_text *error) {
	for (unsigned i = 0; i < config->apps_count; i++) {
		struct config_app *app = &config->apps[i];
		if (!app->title[0] || !text_is_printable(app->title, strlen(app->title)) ||
				strlen(app->title) > 90) {
			return config_refuse(error,
					"apps[%u].title must be 1 to 90 printable characters", i);
		}
		bool by_image = app->runner.type == RUNNER_CONTAINER && app->command_count == 0;
		if (!by_image && (app->command_count == 0 || !app->command[0][0])) {
			return config_refuse(error,
					"apps[%u] \"%s\" needs a command, for example [foot]", i,
					app->title);
		}
		if (app->window_deadline_s > 86400) {
			return config_refuse(error,
					"apps[%u] \"%s\": window_deadline is at most 86400 "
					"seconds, 0 for none",
					i, app->title);
		}
		if (app->id == 0) {
			app->id = config_app_id(app->title);
		}
		for (unsigned j = 0; j < i; j++) {
			if (config->apps[j].id == app->id) {
				return config_refuse(error,
						"apps[%u] \"%s\" has the same title or id as "
						"\"%s\"",
						i, app->title, config->apps[j].title);
			}
		}
	}
	return 0;
}

static int check_ranges(const struct config *config, struct config_text *error) {
	const struct config_evidence *evidence = &config->evidence;
	const struct {
		const char *key;
		uint32_t value, least, most;
	} rows[] = {
		{ "limits.sessions", config->sessions_max, 1, 1000 },
		{ "limits.per_client", config->per_client_max, 1, 1000 },
		{ "evidence.incidents", evidence->incidents, 1, 1000 },
		{ "evidence.megabytes", evidence->megabytes, 1, UINT32_MAX },
		{ "evidence.core_megabytes", evidence->core_megabytes, 0, 1024 },
		{ "evidence.snapshots_kept", evidence->snapshots_kept, 1, 1000 },
		{ "lobbies.grace", config->lobby_grace_s, 0, 86400 },
		{ "lobbies.max_age", config->lobby_max_age_s, 0, 31 * 86400 },
		{ "lobbies.calm", config->lobby_calm_s, 1, 3600 },
		{ "readiness.period", config->readiness_period_s, 10, 86400 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].value < rows[i].least || rows[i].value > rows[i].most) {
			return config_refuse(error, "%s must lie between %u and %u", rows[i].key,
					rows[i].least, rows[i].most);
		}
	}
	return 0;
}

static int check_paths(const struct config *config, struct config_text *error) {
	const struct {
		const char *key, *path;
	} rows[] = {
		{ "folders.state", config->folders.state },
		{ "folders.data", config->folders.data },
		{ "folders.runtime", config->folders.runtime },
		{ "folders.log", config->folders.log },
		{ "container_engine", config->container_engine },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].path && rows[i].path[0] != '/') {
			return config_refuse(error, "%s \"%s\": an absolute path is needed",
					rows[i].key, rows[i].path);
		}
	}
	return 0;
}

static int check_encoders(const struct config *config, struct config_text *error) {
	static const char *const names[] = { "nvenc", "vaapi", "qsv", "x264" };
	const char *at = config->encoders ? config->encoders : "";
	while (*at) {
		size_t len = strcspn(at, ",");
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			known |= strlen(names[i]) == len && strncmp(names[i], at, len) == 0;
		}
		if (!known) {
			return config_refuse(error,
					"encoders \"%.*s\": say some of nvenc, vaapi, qsv and "
					"x264, "
					"in the order to try them, separated by commas",
					(int)len, at);
		}
		at += len + (at[len] == ',');
	}
	return 0;
}

int config_check(struct config *config, struct config_text *error) {
	struct address address;
	if (config->base_port < 1029 || config->base_port > 65500) {
		return config_refuse(error,
				"ports.base %u: the base port must lie between 1029 and 65500",
				config->base_port);
	}
	if (config->bind && address_parse_ip(config->bind, &address) < 0) {
		return config_refuse(error,
				"bind \"%s\" is not a numeric address, for example 192.168.1.10",
				config->bind);
	}
	int rc = check_ranges(config, error);
	rc = rc < 0 ? rc : check_paths(config, error);
	rc = rc < 0 ? rc : check_encoders(config, error);
	if (rc < 0) {
		return rc;
	}
	if (config->name &&
			(!config->name[0] || strlen(config->name) > 60 ||
					!text_is_printable(config->name, strlen(config->name)))) {
		return config_refuse(error, "name must be 1 to 60 printable characters");
	}
	if (config->preset_pin && (strlen(config->preset_pin) != 4 ||
						  strspn(config->preset_pin, "0123456789") != 4)) {
		return config_refuse(error, "preset_pin must be four digits, or left out");
	}
	enum log_level level;
	if (config->log_level && !log_level_parse(config->log_level, &level)) {
		return config_refuse(error, "log_level \"%s\": say error, warning, info or debug",
				config->log_level);
	}
	rc = check_apps(config, error);
	return rc < 0 ? rc : config_clients_check(config, error);
}

void config_add_place(const struct config *config, struct config_text *error) {
	struct config_text found = *error;
	char key[64], variable[CONFIG_VALUE_MAX];
	size_t index = 0;
	text_format(key, sizeof(key), "%.*s", (int)strcspn(found.text, " :"), found.text);
	bool known = config_key_find(key, &index) == 0;
	enum config_from from = known ? (enum config_from)config->from[index] : CONFIG_FROM_DEFAULT;
	if (from == CONFIG_FROM_ENVIRONMENT) {
		config_key_variable(index, variable);
		config_refuse(error, "in the environment, %s: %.700s", variable, found.text);
	} else if (config->file && (from == CONFIG_FROM_FILE || strchr(key, '['))) {
		config_explain_key(config->file, found.text, error);
	}
}
