/* SPDX-License-Identifier: MIT */
#include "supervisor/apps.h"

#include <string.h>

#include "base/text.h"
#include "supervisor/process.h"

struct built_in {
	const char *title;
	const char *command[4];
	const char *needs;   /* a program without which it is not offered */
	const char *package; /* of Debian */
};

static const struct built_in built_ins[] = {
	{ "Desktop", { "perigee-session" }, "weston", "weston" },
	{ "Terminal", { "foot" }, "foot", "foot" },
	{ "Pattern", { "perigee-pattern" }, "perigee-pattern", "perigee" },
};

static const struct built_in trial = { "Readiness trial", { "perigee-pattern" }, NULL, "perigee" };

static const char search_path[] = "/usr/local/bin:/usr/bin:/bin:/usr/games:/usr/local/games";

static bool find_program(const char *libexec, const char *name, char *out, size_t size) {
	return spawn_find(libexec, name, out, size) == 0 ||
	       spawn_find(search_path, name, out, size) == 0;
}

static void settle(struct app *app, const char *libexec, const char *needs, const char *package) {
	char found[256];
	app->installed = find_program(libexec, app->command[0], app->program,
					 sizeof(app->program)) &&
			 (!needs || find_program(libexec, needs, found, sizeof(found)));
	if (!app->installed) {
		text_format(app->why_not, sizeof(app->why_not),
				"%s is not installed on the host: install the package %s there.",
				app->title, package ? package : app->command[0]);
	}
}

static void add_built_in(const struct built_in *row, const char *libexec, struct apps *out) {
	struct app *app = &out->list[out->count++];
	app->title = row->title;
	app->id = config_app_id(app->title);
	app->command = row->command;
	while (app->command_count < 4 && app->command[app->command_count]) {
		app->command_count++;
	}
	settle(app, libexec, row->needs, row->package);
}

void apps_settle(const struct config *config, const char *libexec, struct apps *out) {
	*out = (struct apps){ 0 };
	for (size_t i = 0; config->default_apps && i < ARRAY_LEN(built_ins); i++) {
		add_built_in(&built_ins[i], libexec, out);
	}
	for (unsigned i = 0; i < config->apps_count; i++) {
		const struct config_app *from = &config->apps[i];
		if (apps_find(out, from->id)) {
			continue; /* a built-in of the same title; config_check() saw the rest */
		}
		struct app *app = &out->list[out->count++];
		app->title = from->title;
		app->id = from->id;
		app->hdr = from->hdr;
		app->restart = from->restart;
		app->normal_privileges = from->normal_privileges;
		app->runner = &from->runner;
		app->command = (const char *const *)from->command;
		app->command_count = from->command_count;
		settle(app, libexec, NULL, from->package);
	}
	out->trial = out->count;
	add_built_in(&trial, libexec, out);
	out->list[out->trial].hidden = true;
}

const struct app *apps_find(const struct apps *apps, int32_t id) {
	for (unsigned i = 0; i < apps->count; i++) {
		if (apps->list[i].id == id) {
			return &apps->list[i];
		}
	}
	return NULL;
}
