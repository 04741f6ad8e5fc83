/* SPDX-License-Identifier: MIT */
#include "store/rules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"

enum {
	FACTOR_MIN = 10,     /* thousandths */
	FACTOR_MAX = 100000, /* a hundredfold */
	PIN_MIN = 4,
};

static int refuse(char *out, size_t size, const char *words) {
	text_copy(out, size, words);
	return -EINVAL;
}

static bool is_name(const char *text, bool may_be_empty) {
	size_t len = strlen(text);
	return len == 0 ? may_be_empty : text_is_printable(text, len);
}

/* One folder below another: no way out of it, and nothing hidden. */
static bool is_folder(const char *text) {
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.";
	return text[0] != '.' && strspn(text, plain) == strlen(text);
}

static bool is_factor(uint32_t milli) {
	return milli >= FACTOR_MIN && milli <= FACTOR_MAX;
}

/* Strings one after the other, each with its NUL. */
static bool are_strings(const char *blob, size_t len) {
	return len == 0 || blob[len - 1] == '\0';
}

static bool are_pads(const uint8_t *pads, size_t count) {
	bool good = true;
	for (size_t i = 0; i < count; i++) {
		good &= pads[i] < PADS;
	}
	return good;
}

int rules_settings(const struct ipc_message *set, char *out, size_t size) {
	const __typeof__(set->client_settings) *s = &set->client_settings;
	const struct {
		uint32_t field;
		bool good;
		const char *words;
	} rules[] = {
		{ SETTING_NAME, is_name(s->name, false), "name: 1 to 60 printable characters." },
		{ SETTING_PERMISSIONS, (s->permissions & ~(uint32_t)PERMIT_ALL) == 0,
				"permissions: there is no such permission." },
		{ SETTING_RUN_UID, s->run_uid > 0 && s->run_uid < UINT32_MAX,
				"run_uid: 0 would be root." },
		{ SETTING_RUN_GID, s->run_gid > 0 && s->run_gid < UINT32_MAX,
				"run_gid: 0 would be root's group." },
		{ SETTING_MOUSE, is_factor(s->mouse_milli),
				"mouse_acceleration: between 0.01 and 100." },
		{ SETTING_SCROLL, is_factor(s->scroll_milli),
				"v_scroll_acceleration: between 0.01 and 100." },
		{ SETTING_SCROLL_SIDE, is_factor(s->scroll_side_milli),
				"h_scroll_acceleration: between 0.01 and 100." },
		{ SETTING_CONTROLLERS, are_pads(s->controllers, s->controllers_count),
				"controllers_override: each is XBOX, PS, NINTENDO or AUTO." },
		{ SETTING_FOLDER, is_folder(s->folder),
				"app_state_folder: letters, digits, '-', '_' and '.', not a '.' "
				"first." },
		{ SETTING_LOBBIES, are_strings(s->lobbies, s->lobbies_len),
				"lobbies: a list of names." },
	};
	if (s->fields == 0 || (s->fields & ~(uint32_t)SETTING_ALL)) {
		return refuse(out, size, "There is nothing to change.");
	}
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if ((s->fields & rules[i].field) && !rules[i].good) {
			return refuse(out, size, rules[i].words);
		}
	}
	return 0;
}

int rules_profile(const struct ipc_message *put, char *out, size_t size) {
	const __typeof__(put->profile) *profile = &put->profile;
	size_t digits = strspn(profile->pin, "0123456789");
	if (!is_folder(profile->id) || !profile->id[0]) {
		return refuse(out, size,
				"id: 1 to 47 letters, digits, '-', '_' and '.', not a '.' first.");
	}
	if (!is_name(profile->name, false)) {
		return refuse(out, size, "name: 1 to 63 printable characters.");
	}
	if (!is_name(profile->icon, true)) {
		return refuse(out, size, "icon: a path or an address.");
	}
	if (profile->pin[0] && (digits < PIN_MIN || profile->pin[digits])) {
		return refuse(out, size, "pin: 4 to 15 digits.");
	}
	return 0;
}

static bool is_runner(const char *runner) {
	static const char *const runners[] = { "process", "sandbox", "container" };
	for (size_t i = 0; i < ARRAY_LEN(runners); i++) {
		if (strcmp(runner, runners[i]) == 0) {
			return true;
		}
	}
	return false;
}

int rules_app(const struct ipc_message *put, char *out, size_t size) {
	const __typeof__(put->app) *app = &put->app;
	bool in_container = strcmp(app->how.runner, "container") == 0;
	if (app->app < 0 || !is_name(app->id, true) || !is_name(app->profile, true)) {
		return refuse(out, size, "id: printable characters.");
	}
	if (!is_name(app->title, false) || strlen(app->title) > 90) {
		return refuse(out, size, "title: 1 to 90 printable characters.");
	}
	if (!is_name(app->icon, true) || !is_name(app->how.image, true)) {
		return refuse(out, size, "icon and image: printable characters.");
	}
	if (!is_runner(app->how.runner)) {
		return refuse(out, size, "runner: one of process, sandbox, container.");
	}
	if (in_container ? !app->how.image[0] : app->argv_len == 0 || !app->argv[0]) {
		return refuse(out, size,
				in_container ? "A container needs an image."
					     : "The runner needs a command, for example foot.");
	}
	const struct {
		const char *blob;
		size_t len;
	} lists[] = {
		{ app->argv, app->argv_len },
		{ app->how.env, app->how.env_len },
		{ app->how.mounts, app->how.mounts_len },
		{ app->how.devices, app->how.devices_len },
		{ app->how.ports, app->how.ports_len },
	};
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (!are_strings(lists[i].blob, lists[i].len)) {
			return refuse(out, size, "A list of the runner is too long.");
		}
	}
	return 0;
}
