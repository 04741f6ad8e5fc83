/* SPDX-License-Identifier: MIT */
#include "supervisor/config_runner.h"

#include <ctype.h>
#include <string.h>

#include "ipc/message.h"
#include "supervisor/config.h"

int config_runner_type(const char *text, struct config_runner *runner, struct config_text *error) {
	static const char *const words[RUNNER_TYPES] = {
		[RUNNER_PROCESS] = "process",
		[RUNNER_SANDBOX] = "sandbox",
		[RUNNER_CONTAINER] = "container",
	};
	for (int i = 0; text && i < RUNNER_TYPES; i++) {
		if (words[i] && strcmp(words[i], text) == 0) {
			runner->type = i;
			return 0;
		}
	}
	return !text ? 0
		     : config_refuse(error,
				       "runner.type: \"%s\" is not one of process, sandbox, "
				       "container",
				       text);
}

static bool is_mount(const char *text) {
	const char *inside = strchr(text, ':');
	const char *mode = inside ? strchr(inside + 1, ':') : NULL;
	return text[0] == '/' && inside && inside[1] == '/' &&
	       (!mode || strcmp(mode, ":ro") == 0 || strcmp(mode, ":rw") == 0);
}

static bool is_variable(const char *text) {
	size_t len = strcspn(text, "=");
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_') {
			return false;
		}
	}
	return len > 0 && text[len] == '=';
}

/* [HOST:]INSIDE with the port's number, and a protocol behind it. */
static bool is_port(const char *text) {
	size_t host = strspn(text, "0123456789");
	size_t inside = text[host] == ':' ? strspn(text + host + 1, "0123456789") : 0;
	const char *end = text + host + 1 + inside;
	return host > 0 && host <= 5 && inside > 0 && inside <= 5 &&
	       (!*end || strcmp(end, "/tcp") == 0 || strcmp(end, "/udp") == 0);
}

static bool is_device(const char *text) {
	return text[0] == '/';
}

static int check_list(const struct config_list *list, bool (*fits)(const char *), const char *key,
		const char *what, struct config_text *error) {
	for (unsigned i = 0; i < list->count; i++) {
		if (!fits(list->at[i])) {
			return config_refuse(error, "runner.%s: \"%s\" is not %s", key, list->at[i],
					what);
		}
	}
	return 0;
}

static int check_container(const struct config_app *app, struct config_text *error) {
	const struct config_runner *runner = &app->runner;
	bool any = runner->image || runner->devices.count || runner->ports.count ||
		   runner->base_create_json || runner->gpu;
	if (runner->type != RUNNER_CONTAINER) {
		if (app->command_count == 0) {
			return config_refuse(error,
					"command is missing: say the program, for example [foot]");
		}
		return any ? config_refuse(error, "runner: image, devices, ports, gpu and "
						  "base_create_json are for type: container")
			   : 0;
	}
	if (!runner->image) {
		return config_refuse(error, "runner.image is missing: a container needs one");
	}
	int rc = check_list(&runner->ports, is_port, "ports",
			"HOST:INSIDE, HOST:INSIDE/tcp or HOST:INSIDE/udp", error);
	return rc < 0 ? rc
		      : check_list(&runner->devices, is_device, "devices",
					"a path of a device, HOST:INSIDE or HOST:INSIDE:rwm",
					error);
}

int config_runner_check(const struct config_app *app, struct config_text *error) {
	const struct config_runner *runner = &app->runner;
	int fits = check_container(app, error);
	if (fits < 0) {
		return fits;
	}
	if (runner->folder && runner->folder[0] != '/') {
		return config_refuse(error, "runner.folder: \"%s\" is not an absolute path",
				runner->folder);
	}
	if (runner->type == RUNNER_PROCESS && (runner->mounts.count > 0 || !runner->network)) {
		return config_refuse(error,
				"runner.type: a process sees the host as it is; mounts and "
				"network are for type: sandbox");
	}
	if (runner->type == RUNNER_SANDBOX && app->normal_privileges) {
		return config_refuse(error,
				"privileges: normal and runner.type: sandbox contradict each "
				"other; leave one out");
	}
	int rc = check_list(&runner->env, is_variable, "env", "NAME=VALUE", error);
	return rc < 0 ? rc
		      : check_list(&runner->mounts, is_mount, "mounts",
					"HOST:INSIDE, HOST:INSIDE:ro or HOST:INSIDE:rw", error);
}

static void finish_list(struct config_list *list) {
	for (unsigned i = 0; i < list->count; i++) {
		free(list->at[i]);
	}
	free(list->at);
}

void config_runner_finish(struct config_runner *runner) {
	free(runner->folder);
	free(runner->image);
	free(runner->base_create_json);
	finish_list(&runner->devices);
	finish_list(&runner->ports);
	finish_list(&runner->env);
	finish_list(&runner->mounts);
}
