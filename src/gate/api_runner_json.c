/* SPDX-License-Identifier: MIT */
#include "gate/api.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/text.h"
#include "gate/web.h"
#include "ipc/message.h"

/* What programs call a runner, of an app that is kept and of a lobby alike: Wolf's names, to
 * which the sandbox is added. */

static const char shell[] = "/bin/sh\0-c\0";

/* ---- from JSON ---- */

static bool put_string(char *out, size_t size, uint16_t *len, const char *text) {
	size_t need = strlen(text) + 1;
	if (*len + need > size) {
		return false;
	}
	memcpy(out + *len, text, need);
	*len = (uint16_t)(*len + need);
	return true;
}

bool api_put_command(const char *command, char *out, size_t size, uint16_t *len) {
	return put_string(out, size, len, "/bin/sh") && put_string(out, size, len, "-c") &&
	       put_string(out, size, len, command);
}

static bool put_list(const json_t *list, char *out, size_t size, uint16_t *len) {
	bool fits = true;
	for (size_t i = 0; i < json_array_size(list) && fits; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		fits = put_string(out, size, len, text ? text : "");
	}
	return fits;
}

static bool put_lists(const json_t *runner, struct ipc_app_how *out) {
	const struct {
		const char *name;
		char *at;
		size_t size;
		uint16_t *len;
	} lists[] = {
		{ "env", out->env, sizeof(out->env), &out->env_len },
		{ "mounts", out->mounts, sizeof(out->mounts), &out->mounts_len },
		{ "devices", out->devices, sizeof(out->devices), &out->devices_len },
		{ "ports", out->ports, sizeof(out->ports), &out->ports_len },
	};
	bool fits = true;
	for (size_t i = 0; i < ARRAY_LEN(lists) && fits; i++) {
		fits = put_list(json_object_get(runner, lists[i].name), lists[i].at, lists[i].size,
				lists[i].len);
	}
	const char *base = schema_text(runner, "base_create_json", "");
	size_t len = strlen(base);
	if (!fits || len > sizeof(out->base)) {
		return false;
	}
	memcpy(out->base, base, len);
	out->base_len = (uint16_t)len;
	return text_copy(out->image, sizeof(out->image), schema_text(runner, "image", ""));
}

/* Our word for the type, or NULL. */
static const char *kind_of(const json_t *runner) {
	static const struct {
		const char *type, *kind;
	} kinds[] = {
		{ "process", "process" },
		{ "sandbox", "sandbox" },
		{ "docker", "container" },
		{ "container", "container" },
	};
	const char *type = schema_text(runner, "type", "process");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcasecmp(kinds[i].type, type) == 0) {
			return kinds[i].kind;
		}
	}
	return NULL;
}

const char *api_read_runner(const struct json_t *runner, char *argv, size_t size,
		uint16_t *argv_len, struct ipc_app_how *out) {
	const char *kind = kind_of(runner), *command = schema_text(runner, "run_cmd", "");
	if (!kind) {
		return "\"runner.type\" is one of process, sandbox, docker.";
	}
	bool container = strcmp(kind, "container") == 0;
	text_copy(out->runner, sizeof(out->runner), kind);
	if (!put_lists(runner, out)) {
		return "\"runner\" says more than can be kept: env and mounts may have 1024 bytes "
		       "each, devices and ports 512, base_create_json 2048.";
	}
	if (container && !out->image[0]) {
		return "\"runner.image\" says which image runs.";
	}
	if (!container && !command[0]) {
		return "\"runner.run_cmd\" says what runs.";
	}
	/* An image has a command of its own, to which nothing need be said. */
	return command[0] && !api_put_command(command, argv, size, argv_len)
			       ? "\"runner.run_cmd\" is too long."
			       : NULL;
}

/* Who decides what a container engine is asked may as much as the engine's user. */
bool api_may_run(const struct request *request, const struct ipc_app_how *how) {
	bool may = strcmp(how->runner, "container") != 0 || web_may(request, SCOPE_APPS);
	if (!may) {
		api_error(request->connection, 403,
				"A container of its own wants the scope \"apps\" as well.");
	}
	return may;
}

/* ---- to JSON ---- */

static json_t *list_of(const char *at, size_t len) {
	json_t *list = json_array();
	for (const char *end = at + len; at < end;) {
		size_t one = strnlen(at, (size_t)(end - at));
		json_array_append_new(list, json_stringn(at, one));
		at += one + 1;
	}
	return list;
}

/* As it was given, or the first word of what is none of a shell's. */
static json_t *command_of(const char *argv, size_t len) {
	size_t skip = sizeof(shell) - 1;
	bool own = len > skip && memcmp(argv, shell, skip) == 0;
	return own ? json_stringn(argv + skip, strnlen(argv + skip, len - skip))
		   : json_stringn(argv, strnlen(argv, len));
}

json_t *api_runner_json(
		const char *name, const char *argv, size_t len, const struct ipc_app_how *how) {
	bool container = strcmp(how->runner, "container") == 0;
	json_t *row = json_pack(
			"{s:s,s:s}", "type", container ? "docker" : how->runner, "name", name);
	if (!container || len > 0) {
		json_object_set_new(row, "run_cmd", command_of(argv, len));
	}
	if (container || how->env_len > 0) {
		json_object_set_new(row, "env", list_of(how->env, how->env_len));
	}
	if (container || how->mounts_len > 0) {
		json_object_set_new(row, "mounts", list_of(how->mounts, how->mounts_len));
	}
	if (container) {
		json_object_set_new(row, "image", json_string(how->image));
		json_object_set_new(row, "devices", list_of(how->devices, how->devices_len));
		json_object_set_new(row, "ports", list_of(how->ports, how->ports_len));
		json_object_set_new(
				row, "base_create_json", json_stringn(how->base, how->base_len));
	}
	return row;
}
