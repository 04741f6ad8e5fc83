/* SPDX-License-Identifier: MIT */
#include "supervisor/config_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "supervisor/config.h"

enum form {
	FORM_TEXT,   /* char *, owned; "" is NULL */
	FORM_SECRET, /* the same; shown to nobody */
	FORM_PORT,   /* uint16_t */
	FORM_NUMBER,
	FORM_BOOL,
	FORM_WORD, /* one of words; the member is an int-sized enum */
	FORM_BOOL_WORD,
};

struct key {
	const char *name;
	enum form form;
	size_t offset;
	bool live;
	const char *const *words; /* NULL-terminated, in the order of the values */
};

static const char *const encryption_words[] = { "off", "on", "required", NULL };
static const char *const processor_words[] = { "off", "measured", NULL };
static const char *const snapshot_words[] = { "off", "hourly", NULL };
static const char *const hang_words[] = { "replace", "keep", NULL };

#define AT(member) offsetof(struct config, member)

/* clang-format off */
static const struct key keys[] = {
	{ "name",                     FORM_TEXT,      AT(name), true, NULL },
	{ "bind",                     FORM_TEXT,      AT(bind), false, NULL },
	{ "user",                     FORM_TEXT,      AT(user), false, NULL },
	{ "encryption",               FORM_WORD,      AT(encryption), true, encryption_words },
	{ "encoders",                 FORM_TEXT,      AT(encoders), false, NULL },
	{ "log_level",                FORM_TEXT,      AT(log_level), true, NULL },
	{ "container_engine",         FORM_TEXT,      AT(container_engine), true, NULL },
	{ "preset_pin",               FORM_SECRET,    AT(preset_pin), true, NULL },
	{ "discovery",                FORM_BOOL,      AT(discovery), false, NULL },
	{ "home",                     FORM_BOOL,      AT(home), true, NULL },
	{ "default_apps",             FORM_BOOL,      AT(default_apps), true, NULL },
	{ "on_hang",                  FORM_BOOL_WORD, AT(keep_hung), true, hang_words },
	{ "ports.base",               FORM_PORT,      AT(base_port), false, NULL },
	{ "ports.http",               FORM_PORT,      AT(ports.http), false, NULL },
	{ "ports.https",              FORM_PORT,      AT(ports.https), false, NULL },
	{ "ports.web",                FORM_PORT,      AT(ports.web), false, NULL },
	{ "ports.video",              FORM_PORT,      AT(ports.video), false, NULL },
	{ "ports.control",            FORM_PORT,      AT(ports.control), false, NULL },
	{ "ports.audio",              FORM_PORT,      AT(ports.audio), false, NULL },
	{ "ports.rtsp",               FORM_PORT,      AT(ports.rtsp), false, NULL },
	{ "folders.state",            FORM_TEXT,      AT(folders.state), false, NULL },
	{ "folders.data",             FORM_TEXT,      AT(folders.data), false, NULL },
	{ "folders.runtime",          FORM_TEXT,      AT(folders.runtime), false, NULL },
	{ "folders.log",              FORM_TEXT,      AT(folders.log), false, NULL },
	{ "keyboard.layout",          FORM_TEXT,      AT(keyboard.layout), true, NULL },
	{ "keyboard.variant",         FORM_TEXT,      AT(keyboard.variant), true, NULL },
	{ "keyboard.model",           FORM_TEXT,      AT(keyboard.model), true, NULL },
	{ "keyboard.options",         FORM_TEXT,      AT(keyboard.options), true, NULL },
	{ "limits.sessions",          FORM_NUMBER,    AT(sessions_max), true, NULL },
	{ "limits.per_client",        FORM_NUMBER,    AT(per_client_max), true, NULL },
	{ "limits.processor",         FORM_BOOL_WORD, AT(limit_processor), true, processor_words },
	{ "limits.pair_window",       FORM_NUMBER,    AT(pair_window_s), true, NULL },
	{ "limits.session_memory",    FORM_NUMBER,    AT(session_memory_mb), true, NULL },
	{ "limits.session_processes", FORM_NUMBER,    AT(session_processes), true, NULL },
	{ "evidence.incidents",       FORM_NUMBER,    AT(evidence.incidents), true, NULL },
	{ "evidence.megabytes",       FORM_NUMBER,    AT(evidence.megabytes), true, NULL },
	{ "evidence.core_megabytes",  FORM_NUMBER,    AT(evidence.core_megabytes), true, NULL },
	{ "evidence.snapshots",       FORM_BOOL_WORD, AT(evidence.hourly), false, snapshot_words },
	{ "evidence.snapshots_kept",  FORM_NUMBER,    AT(evidence.snapshots_kept), true, NULL },
	{ "lobbies.grace",            FORM_NUMBER,    AT(lobby_grace_s), true, NULL },
	{ "lobbies.max_age",          FORM_NUMBER,    AT(lobby_max_age_s), true, NULL },
	{ "lobbies.calm",             FORM_NUMBER,    AT(lobby_calm_s), true, NULL },
	{ "readiness.trial",          FORM_BOOL,      AT(readiness_trial), false, NULL },
	{ "readiness.period",         FORM_NUMBER,    AT(readiness_period_s), false, NULL },
};
/* clang-format on */

_Static_assert(ARRAY_LEN(keys) <= CONFIG_KEYS_MAX, "config.from has a place for each");

size_t config_keys_count(void) {
	return ARRAY_LEN(keys);
}

const char *config_key_name(size_t key) {
	return keys[key].name;
}

bool config_key_is_live(size_t key) {
	return keys[key].live;
}

int config_key_find(const char *name, size_t *out) {
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, name) == 0) {
			*out = i;
			return 0;
		}
	}
	return -ENOENT;
}

static const void *at(const struct config *config, const struct key *key) {
	return (const uint8_t *)config + key->offset;
}

static unsigned value_of(const struct config *config, const struct key *key) {
	uint32_t number = 0;
	uint16_t port;
	bool flag;
	switch (key->form) {
	case FORM_PORT:
		memcpy(&port, at(config, key), sizeof(port));
		return port;
	case FORM_BOOL:
	case FORM_BOOL_WORD:
		memcpy(&flag, at(config, key), sizeof(flag));
		return flag;
	default:
		memcpy(&number, at(config, key), sizeof(number));
		return number;
	}
}

static bool is_text(const struct key *key) {
	return key->form == FORM_TEXT || key->form == FORM_SECRET;
}

void config_key_get(const struct config *config, size_t index, char out[CONFIG_VALUE_MAX]) {
	const struct key *key = &keys[index];
	const char *text = NULL;
	if (is_text(key)) {
		memcpy(&text, at(config, key), sizeof(text));
		text_copy(out, CONFIG_VALUE_MAX, text ? text : "");
	} else if (key->words) {
		text_copy(out, CONFIG_VALUE_MAX, key->words[value_of(config, key)]);
	} else if (key->form == FORM_BOOL) {
		text_copy(out, CONFIG_VALUE_MAX, value_of(config, key) ? "true" : "false");
	} else {
		text_format(out, CONFIG_VALUE_MAX, "%u", value_of(config, key));
	}
}

void config_key_show(const struct config *config, size_t index, char out[CONFIG_VALUE_MAX]) {
	config_key_get(config, index, out);
	if (keys[index].form == FORM_SECRET && out[0]) {
		explicit_bzero(out, CONFIG_VALUE_MAX);
		text_copy(out, CONFIG_VALUE_MAX, "(not shown)");
	}
}

static int set_text(struct config *config, const struct key *key, const char *text,
		struct config_text *error) {
	char *old, *copy = NULL;
	if (strlen(text) > CONFIG_PATH_MAX) {
		return config_refuse(error, "%s: longer than %u bytes", key->name, CONFIG_PATH_MAX);
	}
	if (text[0] && !(copy = strdup(text))) {
		return -ENOMEM;
	}
	uint8_t *member = (uint8_t *)config + key->offset;
	memcpy(&old, member, sizeof(old));
	free(old);
	memcpy(member, &copy, sizeof(copy));
	return 0;
}

static int set_number(struct config *config, const struct key *key, const char *text,
		struct config_text *error) {
	bool is_port = key->form == FORM_PORT;
	int64_t value;
	if (number_parse(text, strlen(text), is_port, is_port ? 65535 : UINT32_MAX, &value) < 0) {
		return config_refuse(error,
				is_port ? "%s \"%s\": a port is a number between 1 and 65535"
					: "%s \"%s\": say a whole number",
				key->name, text);
	}
	uint32_t number = (uint32_t)value;
	uint16_t port = (uint16_t)value;
	memcpy((uint8_t *)config + key->offset, is_port ? (void *)&port : (void *)&number,
			is_port ? sizeof(port) : sizeof(number));
	return 0;
}

static int set_word(struct config *config, const struct key *key, const char *const *words,
		const char *text, struct config_text *error) {
	char all[64] = "";
	for (unsigned i = 0; words[i]; i++) {
		size_t used = strlen(all);
		text_format(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", words[i]);
		if (strcmp(words[i], text) != 0) {
			continue;
		}
		int value = (int)i;
		bool flag = i != 0;
		bool is_flag = key->form != FORM_WORD;
		memcpy((uint8_t *)config + key->offset, is_flag ? (void *)&flag : (void *)&value,
				is_flag ? sizeof(flag) : sizeof(value));
		return 0;
	}
	return config_refuse(error, "%s \"%s\" is not one of %s", key->name, text, all);
}

int config_key_set(
		struct config *config, size_t index, const char *text, struct config_text *error) {
	static const char *const bools[] = { "false", "true", NULL };
	const struct key *key = &keys[index];
	if (is_text(key)) {
		return set_text(config, key, text, error);
	}
	if (key->form == FORM_BOOL || key->words) {
		return set_word(config, key, key->words ? key->words : bools, text, error);
	}
	return set_number(config, key, text, error);
}

void config_key_variable(size_t key, char out[CONFIG_VALUE_MAX]) {
	text_format(out, CONFIG_VALUE_MAX, "PERIGEE_%s", keys[key].name);
	for (char *c = out; *c; c++) {
		bool small = *c >= 'a' && *c <= 'z';
		*c = small ? (char)(*c - 'a' + 'A') : *c == '.' ? '_' : *c;
	}
}

int config_keys_environment(struct config *config, struct config_text *error) {
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char variable[CONFIG_VALUE_MAX];
		config_key_variable(i, variable);
		const char *value = getenv(variable);
		struct config_text found = { "" };
		int rc = value ? config_key_set(config, i, value, &found) : 0;
		if (rc < 0) {
			return config_refuse(error, "in the environment, %s: %.900s", variable,
					found.text);
		}
	}
	return 0;
}

void config_trace_begin(struct config_trace *trace, const struct config *config) {
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		config_key_get(config, i, trace->values[i]);
	}
}

void config_trace_end(
		const struct config_trace *trace, struct config *config, enum config_from from) {
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		char now[CONFIG_VALUE_MAX];
		config_key_get(config, i, now);
		if (strcmp(now, trace->values[i]) != 0) {
			config->from[i] = (uint8_t)from;
		}
	}
}

const char *config_from_name(enum config_from from) {
	static const char *const names[] = { "default", "file", "environment", "flag" };
	return names[from];
}
