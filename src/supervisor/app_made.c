/* SPDX-License-Identifier: MIT */
#include "supervisor/app_made.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/config_runner.h"

/* NUL-terminated strings, one after the other, as an array of copies. */
static int copy_strings(const char *blob, size_t len, char ***out, unsigned *out_count) {
	unsigned count = 0;
	for (size_t i = 0; i < len; i++) {
		count += blob[i] == '\0';
	}
	char **list = calloc(count ? count : 1, sizeof(*list));
	if (!list) {
		return -ENOMEM;
	}
	*out = list;
	for (const char *at = blob; *out_count < count; at += strlen(at) + 1) {
		list[*out_count] = strdup(at);
		if (!list[*out_count]) {
			return -ENOMEM;
		}
		(*out_count)++;
	}
	return 0;
}

static int copy_lists(const struct ipc_app_how *how, struct config_runner *out) {
	const struct {
		const char *blob;
		size_t len;
		struct config_list *list;
	} lists[] = {
		{ how->env, how->env_len, &out->env },
		{ how->mounts, how->mounts_len, &out->mounts },
		{ how->devices, how->devices_len, &out->devices },
		{ how->ports, how->ports_len, &out->ports },
	};
	int rc = 0;
	for (size_t i = 0; i < ARRAY_LEN(lists) && rc == 0; i++) {
		rc = copy_strings(lists[i].blob, lists[i].len, &lists[i].list->at,
				&lists[i].list->count);
	}
	return rc;
}

static int copy_image(const struct ipc_app_how *how, struct config_runner *out) {
	if (how->image[0]) {
		out->image = strdup(how->image);
	}
	if (how->base_len > 0) {
		out->base_create_json = strndup(how->base, how->base_len);
	}
	bool missing = (how->image[0] && !out->image) ||
		       (how->base_len > 0 && !out->base_create_json);
	return missing ? -ENOMEM : 0;
}

int app_made_fill(
		const struct app_words *words, struct config_app *out, struct config_text *error) {
	const struct ipc_app_how *how = words->how;
	out->id = words->id;
	out->hdr = words->hdr;
	out->restart = words->restart;
	out->window_deadline_s = CONFIG_WINDOW_DEADLINE_S;
	out->title = strdup(words->title);
	out->runner.network = true;
	int rc = out->title ? 0 : -ENOMEM;
	rc = rc < 0 ? rc
		    : copy_strings(words->argv, words->argv_len, &out->command,
				      &out->command_count);
	rc = rc < 0 ? rc : copy_lists(how, &out->runner);
	rc = rc < 0 ? rc : copy_image(how, &out->runner);
	rc = rc < 0 ? rc
		    : config_runner_type(how->runner[0] ? how->runner : NULL, &out->runner, error);
	return rc < 0 ? rc : config_runner_check(out, error);
}
