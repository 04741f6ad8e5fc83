/* SPDX-License-Identifier: MIT */
#include "supervisor/config_schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <cyaml/cyaml.h>

#include "base/own.h"
#include "base/text.h"
#include "supervisor/config.h"
#include "supervisor/config_explain.h"

/* The file's shape. Pointers: NULL or absent means "not said". It is read into
 * this, then laid over the defaults, so that a file names only what it changes. */
struct file_ports {
	uint16_t *base, *http, *https, *web, *video, *control, *audio, *rtsp;
};

struct file_folders {
	char *state, *data, *runtime, *log;
};

struct file_keyboard {
	char *layout, *variant, *model, *options;
};

struct file_limits {
	uint32_t *sessions, *per_client, *pair_window, *session_memory, *session_processes;
	char *processor;
};

struct file_evidence {
	uint32_t *incidents, *megabytes, *core_megabytes, *snapshots_kept;
	char *snapshots;
};

struct file_lobbies {
	uint32_t *grace, *max_age, *calm;
};

struct file_readiness {
	bool *trial;
	uint32_t *period;
};

struct file_runner {
	char *type, *folder, *image, *base_create_json;
	bool *network;
	bool gpu;
	char **env, **mounts, **devices, **ports;
	unsigned env_count, mounts_count, devices_count, ports_count;
};

struct file_app {
	char *title;
	char **command;
	unsigned command_count;
	char *package;
	int32_t *id;
	bool hdr, restart;
	char *privileges;
	struct file_runner *runner;
	uint32_t *window_deadline;
};

struct file {
	char *name, *bind, *user, *encryption, *encoders, *log_level, *on_hang, *container_engine;
	char *preset_pin;
	bool *discovery, *default_apps, *home;
	struct file_ports *ports;
	struct file_folders *folders;
	struct file_keyboard *keyboard;
	struct file_limits *limits;
	struct file_evidence *evidence;
	struct file_lobbies *lobbies;
	struct file_readiness *readiness;
	struct file_app *apps;
	struct file_client *clients;
	struct file_profile *profiles;
	unsigned apps_count, clients_count, profiles_count;
};

/* clang-format off */
#define OPT (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define STRING(key, type, member) CYAML_FIELD_STRING_PTR(key, OPT, type, member, 1, CONFIG_PATH_MAX)
#define UINT(key, type, member) CYAML_FIELD_UINT_PTR(key, OPT, type, member)
/* libcyaml's own BOOL takes any text for true. */
#define EXACT (CYAML_FLAG_STRICT | CYAML_FLAG_CASE_INSENSITIVE)
#define FLAG(key, type, member) CYAML_FIELD_ENUM(key, CYAML_FLAG_OPTIONAL | EXACT, type, member, flag_words, ARRAY_LEN(flag_words))
#define FLAG_PTR(key, type, member) CYAML_FIELD_ENUM_PTR(key, OPT | EXACT, type, member, flag_words, ARRAY_LEN(flag_words))
#define MAP(key, member, fields) CYAML_FIELD_MAPPING_PTR(key, OPT, struct file, member, fields)

static const cyaml_strval_t flag_words[] = {
	{ "false", 0 }, { "true", 1 }, { "no", 0 }, { "yes", 1 }, { "off", 0 }, { "on", 1 },
};

static const cyaml_schema_field_t port_fields[] = {
	UINT("base", struct file_ports, base),
	UINT("http", struct file_ports, http),
	UINT("https", struct file_ports, https),
	UINT("web", struct file_ports, web),
	UINT("video", struct file_ports, video),
	UINT("control", struct file_ports, control),
	UINT("audio", struct file_ports, audio),
	UINT("rtsp", struct file_ports, rtsp),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t folder_fields[] = {
	STRING("state", struct file_folders, state),
	STRING("data", struct file_folders, data),
	STRING("runtime", struct file_folders, runtime),
	STRING("log", struct file_folders, log),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t keyboard_fields[] = {
	STRING("layout", struct file_keyboard, layout),
	STRING("variant", struct file_keyboard, variant),
	STRING("model", struct file_keyboard, model),
	STRING("options", struct file_keyboard, options),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t limit_fields[] = {
	UINT("sessions", struct file_limits, sessions),
	UINT("per_client", struct file_limits, per_client),
	STRING("processor", struct file_limits, processor),
	UINT("pair_window", struct file_limits, pair_window),
	UINT("session_memory", struct file_limits, session_memory),
	UINT("session_processes", struct file_limits, session_processes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t evidence_fields[] = {
	UINT("incidents", struct file_evidence, incidents),
	UINT("megabytes", struct file_evidence, megabytes),
	UINT("core_megabytes", struct file_evidence, core_megabytes),
	STRING("snapshots", struct file_evidence, snapshots),
	UINT("snapshots_kept", struct file_evidence, snapshots_kept),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t lobbies_fields[] = {
	UINT("grace", struct file_lobbies, grace),
	UINT("max_age", struct file_lobbies, max_age),
	UINT("calm", struct file_lobbies, calm),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t readiness_fields[] = {
	FLAG_PTR("trial", struct file_readiness, trial),
	UINT("period", struct file_readiness, period),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t word = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CONFIG_PATH_MAX),
};

#define LIST(key, type, member) CYAML_FIELD_SEQUENCE(key, OPT, type, member, &word, 0, 64)

static const cyaml_schema_field_t runner_fields[] = {
	STRING("type", struct file_runner, type),
	STRING("folder", struct file_runner, folder),
	FLAG_PTR("network", struct file_runner, network),
	LIST("env", struct file_runner, env),
	LIST("mounts", struct file_runner, mounts),
	STRING("image", struct file_runner, image),
	LIST("devices", struct file_runner, devices),
	LIST("ports", struct file_runner, ports),
	FLAG("gpu", struct file_runner, gpu),
	CYAML_FIELD_STRING_PTR("base_create_json", OPT, struct file_runner, base_create_json, 1, CONFIG_JSON_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t app_fields[] = {
	CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, struct file_app, title, 1, CONFIG_PATH_MAX),
	CYAML_FIELD_SEQUENCE("command", OPT, struct file_app, command, &word, 1, 64),
	STRING("package", struct file_app, package),
	CYAML_FIELD_INT_PTR("id", OPT, struct file_app, id),
	FLAG("hdr", struct file_app, hdr),
	FLAG("restart", struct file_app, restart),
	STRING("privileges", struct file_app, privileges),
	CYAML_FIELD_MAPPING_PTR("runner", OPT, struct file_app, runner, runner_fields),
	UINT("window_deadline", struct file_app, window_deadline),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t app_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct file_app, app_fields),
};

static const cyaml_schema_field_t file_fields[] = {
	STRING("name", struct file, name),
	STRING("bind", struct file, bind),
	STRING("user", struct file, user),
	STRING("encryption", struct file, encryption),
	STRING("encoders", struct file, encoders),
	STRING("log_level", struct file, log_level),
	STRING("on_hang", struct file, on_hang),
	STRING("container_engine", struct file, container_engine),
	STRING("preset_pin", struct file, preset_pin),
	FLAG_PTR("discovery", struct file, discovery),
	FLAG_PTR("default_apps", struct file, default_apps),
	FLAG_PTR("home", struct file, home),
	MAP("ports", ports, port_fields),
	MAP("folders", folders, folder_fields),
	MAP("keyboard", keyboard, keyboard_fields),
	MAP("limits", limits, limit_fields),
	MAP("evidence", evidence, evidence_fields),
	MAP("lobbies", lobbies, lobbies_fields),
	MAP("readiness", readiness, readiness_fields),
	CYAML_FIELD_SEQUENCE("apps", OPT, struct file, apps, &app_value, 0, CONFIG_APPS_MAX),
	CYAML_FIELD_SEQUENCE("clients", OPT, struct file, clients, &config_clients_value, 0, CONFIG_CLIENTS_MAX),
	CYAML_FIELD_SEQUENCE("profiles", OPT, struct file, profiles, &config_profiles_value, 0, CONFIG_PROFILES_MAX),
	CYAML_FIELD_END,
};
/* clang-format on */

static const cyaml_schema_value_t file_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields),
};

/* libcyaml tells line and column in its log lines; they are what a person needs. */
static void collect(cyaml_log_t level, void *user, const char *format, va_list args)
		__attribute__((format(printf, 3, 0)));

static void collect(cyaml_log_t level, void *user, const char *format, va_list args) {
	struct config_text *error = (struct config_text *)user;
	if (level < CYAML_LOG_ERROR) {
		return;
	}
	size_t used = strlen(error->text);
	vsnprintf(error->text + used, sizeof(error->text) - used, format, args);
}

static cyaml_config_t cyaml_for(struct config_text *error) {
	return (cyaml_config_t){
		.log_fn = collect,
		.log_ctx = error,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

static void move_text(char **to, char **from) {
	if (*from) {
		free(*to);
		*to = TAKE(*from, NULL);
	}
}

#define MOVE_VALUE(to, from) \
	do { \
		if (from) { \
			(to) = *(from); \
		} \
	} while (0)

static int move_runner(
		struct file_runner *from, struct config_runner *to, struct config_text *error) {
	to->network = true;
	if (!from) {
		return 0;
	}
	to->folder = TAKE(from->folder, NULL);
	to->env = (struct config_list){ TAKE(from->env, NULL), TAKE(from->env_count, 0) };
	to->mounts = (struct config_list){ TAKE(from->mounts, NULL), TAKE(from->mounts_count, 0) };
	to->devices = (struct config_list){ TAKE(from->devices, NULL),
		TAKE(from->devices_count, 0) };
	to->ports = (struct config_list){ TAKE(from->ports, NULL), TAKE(from->ports_count, 0) };
	to->image = TAKE(from->image, NULL);
	to->base_create_json = TAKE(from->base_create_json, NULL);
	to->gpu = from->gpu;
	MOVE_VALUE(to->network, from->network);
	return config_runner_type(from->type, to, error);
}

static int move_apps(struct file *file, struct config *config, struct config_text *error) {
	if (file->apps_count == 0) {
		return 0;
	}
	config->apps = calloc(file->apps_count, sizeof(*config->apps));
	if (!config->apps) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < file->apps_count; i++) {
		struct file_app *from = &file->apps[i];
		struct config_app *to = &config->apps[config->apps_count++];
		to->title = TAKE(from->title, NULL);
		to->command = TAKE(from->command, NULL);
		to->command_count = TAKE(from->command_count, 0);
		to->package = TAKE(from->package, NULL);
		to->hdr = from->hdr;
		to->restart = from->restart;
		to->window_deadline_s = CONFIG_WINDOW_DEADLINE_S;
		MOVE_VALUE(to->window_deadline_s, from->window_deadline);
		const char *privileges = from->privileges ? from->privileges : "confined";
		to->normal_privileges = strcmp(privileges, "normal") == 0;
		if (!to->normal_privileges && strcmp(privileges, "confined") != 0) {
			return config_refuse(error,
					"apps[%u].privileges: \"%s\" is not one of confined, "
					"normal",
					i, privileges);
		}
		MOVE_VALUE(to->id, from->id);
		struct config_text found = { "" };
		int rc = move_runner(from->runner, &to->runner, &found);
		rc = rc < 0 ? rc : config_runner_check(to, &found);
		if (rc < 0) {
			return config_refuse(error, "apps[%u].%.900s", i, found.text);
		}
	}
	return 0;
}

static void move_ports(const struct file_ports *from, struct config *config) {
	MOVE_VALUE(config->base_port, from->base);
	MOVE_VALUE(config->ports.http, from->http);
	MOVE_VALUE(config->ports.https, from->https);
	MOVE_VALUE(config->ports.web, from->web);
	MOVE_VALUE(config->ports.video, from->video);
	MOVE_VALUE(config->ports.control, from->control);
	MOVE_VALUE(config->ports.audio, from->audio);
	MOVE_VALUE(config->ports.rtsp, from->rtsp);
}

static void move_evidence(const struct file_evidence *from, struct config *config) {
	MOVE_VALUE(config->evidence.incidents, from->incidents);
	MOVE_VALUE(config->evidence.megabytes, from->megabytes);
	MOVE_VALUE(config->evidence.core_megabytes, from->core_megabytes);
	MOVE_VALUE(config->evidence.snapshots_kept, from->snapshots_kept);
}

/* Keys of a few words. */
static int move_words(const struct file *file, struct config *config, struct config_text *error) {
	const struct {
		const char *key, *text;
	} words[] = {
		{ "encryption", file->encryption },
		{ "limits.processor", file->limits ? file->limits->processor : NULL },
		{ "evidence.snapshots", file->evidence ? file->evidence->snapshots : NULL },
		{ "on_hang", file->on_hang },
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		size_t key;
		int rc = words[i].text ? config_key_find(words[i].key, &key) : 0;
		if (rc == 0 && words[i].text) {
			rc = config_key_set(config, key, words[i].text, error);
		}
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int move_all(struct file *file, struct config *config, struct config_text *error) {
	move_text(&config->name, &file->name);
	move_text(&config->bind, &file->bind);
	move_text(&config->user, &file->user);
	move_text(&config->encoders, &file->encoders);
	move_text(&config->log_level, &file->log_level);
	move_text(&config->container_engine, &file->container_engine);
	move_text(&config->preset_pin, &file->preset_pin);
	MOVE_VALUE(config->discovery, file->discovery);
	MOVE_VALUE(config->default_apps, file->default_apps);
	MOVE_VALUE(config->home, file->home);
	if (file->ports) {
		move_ports(file->ports, config);
	}
	if (file->folders) {
		move_text(&config->folders.state, &file->folders->state);
		move_text(&config->folders.data, &file->folders->data);
		move_text(&config->folders.runtime, &file->folders->runtime);
		move_text(&config->folders.log, &file->folders->log);
	}
	if (file->keyboard) {
		move_text(&config->keyboard.layout, &file->keyboard->layout);
		move_text(&config->keyboard.variant, &file->keyboard->variant);
		move_text(&config->keyboard.model, &file->keyboard->model);
		move_text(&config->keyboard.options, &file->keyboard->options);
	}
	if (file->limits) {
		MOVE_VALUE(config->sessions_max, file->limits->sessions);
		MOVE_VALUE(config->per_client_max, file->limits->per_client);
		MOVE_VALUE(config->pair_window_s, file->limits->pair_window);
		MOVE_VALUE(config->session_memory_mb, file->limits->session_memory);
		MOVE_VALUE(config->session_processes, file->limits->session_processes);
	}
	if (file->lobbies) {
		MOVE_VALUE(config->lobby_grace_s, file->lobbies->grace);
		MOVE_VALUE(config->lobby_max_age_s, file->lobbies->max_age);
		MOVE_VALUE(config->lobby_calm_s, file->lobbies->calm);
	}
	if (file->readiness) {
		MOVE_VALUE(config->readiness_trial, file->readiness->trial);
		MOVE_VALUE(config->readiness_period_s, file->readiness->period);
	}
	if (file->evidence) {
		move_evidence(file->evidence, config);
	}
	int rc = move_words(file, config, error);
	rc = rc < 0 ? rc : move_apps(file, config, error);
	rc = rc < 0 ? rc : config_clients_move(file->clients, file->clients_count, config, error);
	return rc < 0 ? rc
		      : config_profiles_move(file->profiles, file->profiles_count, config, error);
}

/* The file that is read when no flag names one: the first that exists. */
static bool usual_file(char *out, size_t size) {
	const char *home = getenv("HOME");
	const char *xdg = getenv("XDG_CONFIG_HOME");
	if (xdg && xdg[0] == '/') {
		text_format(out, size, "%s/perigee/perigee.yaml", xdg);
	} else if (home) {
		text_format(out, size, "%s/.config/perigee/perigee.yaml", home);
	} else {
		out[0] = '\0';
	}
	if (out[0] && access(out, F_OK) == 0) {
		return true;
	}
	text_copy(out, size, "/etc/perigee/perigee.yaml");
	return access(out, F_OK) == 0;
}

static int read_file(const char *path, const struct config_trace *trace, struct config *config,
		struct config_text *error) {
	char usual[512];
	if (!path) {
		if (!usual_file(usual, sizeof(usual))) {
			return 0;
		}
		path = usual;
	}
	error->text[0] = '\0';
	free(config->file);
	config->file = strdup(path);
	if (access(path, R_OK) < 0) {
		text_format(error->text, sizeof(error->text), "%s: %s", path, strerror(errno));
		return -EINVAL;
	}
	struct config_text found = { "" };
	cyaml_config_t cyaml = cyaml_for(&found);
	struct file *file = NULL;
	cyaml_err_t rc = cyaml_load_file(path, &cyaml, &file_value, (cyaml_data_t **)&file, NULL);
	if (rc != CYAML_OK) {
		if (found.text[0]) {
			config_explain(path, found.text, error);
		} else {
			config_refuse(error, "%.200s: %s", path, cyaml_strerror(rc));
		}
		return -EINVAL;
	}
	int moved = file ? move_all(file, config, &found) : 0;
	if (file) {
		cyaml_free(&cyaml, &file_value, file, 0);
	}
	if (moved < 0) {
		config_explain_key(path, found.text, error);
	}
	config_trace_end(trace, config, CONFIG_FROM_FILE);
	return moved;
}

int config_read_file(const char *path, struct config *config, struct config_text *error) {
	struct config_trace *trace = malloc(sizeof(*trace));
	if (!trace) {
		return -ENOMEM;
	}
	config_trace_begin(trace, config);
	int rc = read_file(path, trace, config, error);
	free(trace);
	return rc;
}

void config_schema_free(struct config *config) {
	char *texts[] = { config->name, config->folders.state, config->folders.data,
		config->folders.runtime, config->folders.log, config->bind, config->user,
		config->encoders, config->keyboard.layout, config->keyboard.variant,
		config->keyboard.model, config->keyboard.options, config->log_level,
		config->container_engine, config->libexec, config->preset_pin };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		free(texts[i]);
	}
	config_apps_free(config->apps, config->apps_count);
	config_clients_free(config->clients, config->clients_count);
	config_profiles_free(config->profiles, config->profiles_count);
}
