/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/number.h"
#include "base/text.h"
#include "ipc/client_words.h"
#include "ipc/message.h"

/* What a client may: in words here, in bits everywhere else. */

void api_permits_show(struct json_t *row, const struct ipc_message *message) {
	const __typeof__(message->client_settings) *from = &message->client_settings;
	json_t *permissions = json_array(), *apps = json_array(), *lobbies = json_array();
	uint32_t bit;
	const char *permission;
	for (unsigned i = 0; (permission = client_permission_word(i, &bit)); i++) {
		if (from->permissions & bit) {
			json_array_append_new(permissions, json_string(permission));
		}
	}
	for (unsigned i = 0; i < from->apps_count; i++) {
		char number[16];
		text_format(number, sizeof(number), "%d", (int)from->apps[i]);
		json_array_append_new(apps, json_string(number));
	}
	const char *end = from->lobbies + from->lobbies_len;
	for (const char *at = from->lobbies; at < end; at += strlen(at) + 1) {
		json_array_append_new(lobbies, json_string(at));
	}
	json_object_set_new(row, "permissions", permissions);
	json_object_set_new(row, "only_apps", apps);
	json_object_set_new(row, "only_lobbies", lobbies);
}

static const char *read_permissions(const json_t *list, struct ipc_message *out) {
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *word = json_string_value(json_array_get(list, i));
		uint32_t bit = word ? client_permission(word) : 0;
		if (!bit) {
			return "permissions: of " CLIENT_PERMISSIONS ".";
		}
		out->client_settings.permissions |= bit;
	}
	out->client_settings.fields |= SETTING_PERMISSIONS;
	return NULL;
}

static const char *read_apps(const json_t *list, struct ipc_message *out) {
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		int64_t number;
		if (i == IPC_APPS_NAMED_MAX || !text ||
				number_parse(text, strlen(text), 1, INT32_MAX, &number) < 0) {
			return "only_apps: at most 64 numbers of apps, as the list of apps has "
			       "them.";
		}
		out->client_settings.apps[out->client_settings.apps_count++] = (int32_t)number;
	}
	out->client_settings.fields |= SETTING_APPS;
	return NULL;
}

static const char *read_lobbies(const json_t *list, struct ipc_message *out) {
	__typeof__(out->client_settings) *set = &out->client_settings;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		size_t len = name ? strlen(name) + 1 : 0;
		if (len < 2 || set->lobbies_len + len > sizeof(set->lobbies)) {
			return "only_lobbies: names of lobbies, 1023 bytes together.";
		}
		memcpy(set->lobbies + set->lobbies_len, name, len);
		set->lobbies_len = (uint16_t)(set->lobbies_len + len);
	}
	set->fields |= SETTING_LOBBIES;
	return NULL;
}

const char *api_permits_read(const struct json_t *body, struct ipc_message *out) {
	static const struct {
		const char *name;
		const char *(*read)(const json_t *list, struct ipc_message *out);
	} lists[] = {
		{ "permissions", read_permissions },
		{ "only_apps", read_apps },
		{ "only_lobbies", read_lobbies },
	};
	const char *fault = NULL;
	for (size_t i = 0; i < ARRAY_LEN(lists) && !fault; i++) {
		const json_t *list = json_object_get(body, lists[i].name);
		if (json_is_array(list)) {
			fault = lists[i].read(list, out);
		}
	}
	return fault;
}
