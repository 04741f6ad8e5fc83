/* SPDX-License-Identifier: MIT */
#include "supervisor/config_profiles.h"

#include <string.h>

#include <cyaml/cyaml.h>

#include "base/text.h"
#include "supervisor/config.h"

enum {
	PIN_MIN = 4,
};

/* clang-format off */
#define ROW struct file_profile
#define WORD(key, flags, member, most) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | (flags), ROW, member, 1, most)

static const cyaml_schema_field_t fields[] = {
	WORD("id", 0, id, 47),
	WORD("name", 0, name, 63),
	WORD("pin", CYAML_FLAG_OPTIONAL, pin, 15),
	WORD("icon_png_path", CYAML_FLAG_OPTIONAL, icon, CONFIG_PATH_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_profiles_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, ROW, fields),
};
/* clang-format on */

/* It is a folder's name as well: no way out of it, and nothing hidden. */
static bool is_id(const char *text) {
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.";
	return text[0] != '.' && text[strspn(text, plain)] == '\0';
}

static int move_one(const struct file_profile *row, struct config_profile *to,
		struct config_text *error) {
	size_t digits = row->pin ? strspn(row->pin, "0123456789") : PIN_MIN;
	if (!is_id(row->id)) {
		return config_refuse(error, "id: 1 to 47 letters, digits, '-', '_' and '.', not a "
					    "'.' first");
	}
	if (!text_is_printable(row->name, strlen(row->name)) ||
			(row->icon && !text_is_printable(row->icon, strlen(row->icon)))) {
		return config_refuse(error, "name: printable characters, as in icon_png_path");
	}
	if (digits < PIN_MIN || (row->pin && row->pin[digits])) {
		return config_refuse(error, "pin: 4 to 15 digits");
	}
	text_copy(to->id, sizeof(to->id), row->id);
	text_copy(to->name, sizeof(to->name), row->name);
	text_copy(to->icon, sizeof(to->icon), row->icon ? row->icon : "");
	text_copy(to->pin, sizeof(to->pin), row->pin ? row->pin : "");
	if (row->pin) {
		explicit_bzero(row->pin, strlen(row->pin));
	}
	return 0;
}

int config_profiles_move(const struct file_profile *rows, unsigned count, struct config *config,
		struct config_text *error) {
	if (count == 0) {
		return 0;
	}
	config->profiles = calloc(count, sizeof(*config->profiles));
	if (!config->profiles) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < count; i++) {
		struct config_text found = { "" };
		struct config_profile *to = &config->profiles[config->profiles_count++];
		if (move_one(&rows[i], to, &found) < 0) {
			return config_refuse(error, "profiles[%u].%.900s", i, found.text);
		}
		for (unsigned j = 0; j < i; j++) {
			if (strcmp(config->profiles[j].id, to->id) == 0) {
				return config_refuse(error,
						"profiles[%u].id: \"%s\" is there twice; leave one",
						i, to->id);
			}
		}
	}
	return 0;
}

bool config_profiles_same(const struct config *one, const struct config *other) {
	bool same = one->profiles_count == other->profiles_count;
	for (unsigned i = 0; same && i < one->profiles_count; i++) {
		same = memcmp(&one->profiles[i], &other->profiles[i], sizeof(one->profiles[i])) ==
		       0;
	}
	return same;
}

void config_profiles_free(struct config_profile *profiles, unsigned count) {
	if (profiles) {
		explicit_bzero(profiles, count * sizeof(*profiles));
	}
	free(profiles);
}
