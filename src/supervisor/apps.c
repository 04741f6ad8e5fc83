/* SPDX-License-Identifier: MIT */
#include "supervisor/apps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/process.h"

struct built_in {
	const char *title;
	const char *command[4];
	const char *needs;   /* a program without which it is not offered */
	const char *package; /* of Debian */
	bool launcher;
};

static const struct built_in built_ins[] = {
	{ "Home", { "perigee-home" }, "perigee-home", "perigee", true },
	{ "Desktop", { "perigee-session" }, "weston", "weston", false },
	{ "Terminal", { "foot" }, "foot", "foot", false },
	{ "Pattern", { "perigee-pattern" }, "perigee-pattern", "perigee", false },
};

static const struct built_in trial = { "Readiness trial", { "perigee-pattern" }, NULL, "perigee",
	false };

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

/* ---- places ---- */

static void release(struct app_source *source) {
	if (source && --source->uses == 0) {
		config_apps_free(source->apps, source->count);
		free(source);
	}
}

static struct app_source *source_make(struct config_app *list, unsigned count) {
	struct app_source *source = calloc(1, sizeof(*source));
	if (source) {
		*source = (struct app_source){ .uses = 1, .apps = list, .count = count };
	}
	return source;
}

static struct app *place_of(struct apps *apps, int32_t id) {
	for (unsigned i = 0; i < apps->count; i++) {
		if (apps->list[i].origin != APP_FREE && apps->list[i].id == id) {
			return &apps->list[i];
		}
	}
	return NULL;
}

static struct app *free_place(struct apps *apps) {
	for (unsigned i = 0; i < apps->count; i++) {
		if (apps->list[i].origin == APP_FREE) {
			return &apps->list[i];
		}
	}
	return apps->count < APPS_MAX ? &apps->list[apps->count++] : NULL;
}

static void empty(struct app *app) {
	release(app->source);
	*app = (struct app){ .origin = APP_FREE, .title = "", .hidden = true };
}

/* Whoever runs goes on; nobody is shown it any more. */
static void take_away(struct app *app) {
	if (app->uses == 0) {
		empty(app);
	} else {
		app->origin = APP_GONE;
		app->hidden = true;
	}
}

/* A place for that number with nothing said yet: the one it has, or another. */
static struct app *begin_place(
		struct apps *apps, int32_t id, enum app_origin origin, struct app_source *source) {
	struct app *app = place_of(apps, id);
	app = app ? app : free_place(apps);
	if (!app) {
		return NULL;
	}
	struct app_source *before = app->source;
	*app = (struct app){ .origin = origin,
		.id = id,
		.title = "",
		.source = source,
		.uses = app->uses,
		.listed = true };
	if (source) {
		source->uses++;
	}
	release(before);
	return app;
}

/* ---- ours and the configured ones ---- */

static struct app *add_built_in(struct apps *apps, const struct built_in *row,
		enum app_origin origin, const char *libexec) {
	struct app *app = begin_place(apps, config_app_id(row->title), origin, NULL);
	if (!app) {
		return NULL;
	}
	app->title = row->title;
	app->window_deadline_s = CONFIG_WINDOW_DEADLINE_S;
	app->command = row->command;
	app->launcher = row->launcher;
	while (app->command_count < 4 && app->command[app->command_count]) {
		app->command_count++;
	}
	settle(app, libexec, row->needs, row->package);
	return app;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
	for (const char *at = text ? text : "\1"; *at; at++) {
		hash = (hash ^ (uint8_t)*at) * 1099511628211u;
	}
	return (hash ^ 0xff) * 1099511628211u;
}

static uint64_t hash_list(uint64_t hash, char *const *list, unsigned count) {
	for (unsigned i = 0; i < count; i++) {
		hash = hash_text(hash, list[i]);
	}
	return hash_text(hash, "");
}

/* Of every word: what differs in none is the same app. */
static uint64_t hash_of(const struct config_app *app) {
	char rest[96];
	const struct config_runner *runner = &app->runner;
	text_format(rest, sizeof(rest), "%d %d %d %d %d %d %d %u", (int)app->id, app->hdr,
			app->restart, app->normal_privileges, runner->type, runner->network,
			runner->gpu, app->window_deadline_s);
	uint64_t hash = hash_text(14695981039346656037u, rest);
	hash = hash_text(hash_text(hash_text(hash, app->title), app->package), runner->folder);
	hash = hash_list(hash, app->command, app->command_count);
	hash = hash_list(hash, runner->env.at, runner->env.count);
	hash = hash_list(hash, runner->mounts.at, runner->mounts.count);
	hash = hash_text(hash_text(hash, runner->image), runner->base_create_json);
	hash = hash_list(hash, runner->devices.at, runner->devices.count);
	return hash_list(hash, runner->ports.at, runner->ports.count);
}

static bool is_wanted(const struct config *config, const struct built_in *row) {
	return row->launcher ? config->home : config->default_apps;
}

bool apps_differ(const struct apps *apps, const struct config *config) {
	unsigned there = 0, same = 0;
	for (unsigned i = 0; i < apps->count; i++) {
		there += apps->list[i].origin == APP_CONFIGURED;
	}
	for (unsigned i = 0; i < config->apps_count; i++) {
		const struct app *app = apps_find(apps, config->apps[i].id);
		same += app && app->origin == APP_CONFIGURED &&
			app->hash == hash_of(&config->apps[i]);
	}
	return same != there || same != config->apps_count;
}

static struct app *add_configured(struct apps *apps, const struct config_app *from,
		enum app_origin origin, struct app_source *source, const char *libexec) {
	struct app *app = begin_place(apps, from->id, origin, source);
	if (!app) {
		return NULL;
	}
	app->hash = hash_of(from);
	app->title = from->title;
	app->hdr = from->hdr;
	app->restart = from->restart;
	app->normal_privileges = from->normal_privileges;
	app->runner = &from->runner;
	app->window_deadline_s = from->window_deadline_s;
	app->command = (const char *const *)from->command;
	app->command_count = from->command_count;
	if (from->runner.type == RUNNER_CONTAINER) {
		app->installed = true; /* as far as can be said: an engine has it or gets it */
	} else {
		settle(app, libexec, NULL, from->package);
	}
	return app;
}

/* Those that are named again get their old places before the rest loses its own. */
void apps_settle(struct apps *apps, struct config *config, const char *libexec) {
	bool stale[APPS_MAX] = { false };
	for (unsigned i = 0; i < apps->count; i++) {
		stale[i] = apps->list[i].origin == APP_OURS ||
			   apps->list[i].origin == APP_CONFIGURED;
	}
	for (size_t i = 0; i < ARRAY_LEN(built_ins); i++) {
		if (!is_wanted(config, &built_ins[i])) {
			continue;
		}
		struct app *app = add_built_in(apps, &built_ins[i], APP_OURS, libexec);
		if (app) {
			stale[app - apps->list] = false;
		}
	}
	unsigned count = TAKE(config->apps_count, 0);
	struct app_source *source = source_make(TAKE(config->apps, NULL), count);
	for (unsigned i = 0; source && i < count; i++) {
		const struct app *there = place_of(apps, source->apps[i].id);
		if (there && there->origin == APP_OURS && !stale[there - apps->list]) {
			continue; /* a built-in of the same title; config_check() saw the rest */
		}
		struct app *app = add_configured(
				apps, &source->apps[i], APP_CONFIGURED, source, libexec);
		if (app) {
			stale[app - apps->list] = false;
		}
	}
	release(source);
	for (unsigned i = 0; i < apps->count; i++) {
		if (stale[i]) {
			take_away(&apps->list[i]);
		}
	}
	struct app *own = add_built_in(apps, &trial, APP_TRIAL, libexec);
	if (own) {
		own->hidden = true;
		apps->trial = (unsigned)(own - apps->list);
	}
}

/* ---- those that programs made ---- */

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

static int fill_container(const struct ipc_message *message, struct config_runner *out) {
	const __typeof__(message->app) *from = &message->app;
	int rc = copy_strings(
			from->devices, from->devices_len, &out->devices.at, &out->devices.count);
	if (rc == 0) {
		rc = copy_strings(from->ports, from->ports_len, &out->ports.at, &out->ports.count);
	}
	if (rc == 0 && from->image[0]) {
		out->image = strdup(from->image);
		rc = out->image ? 0 : -ENOMEM;
	}
	if (rc == 0 && from->base_len > 0) {
		out->base_create_json = strndup(from->base, from->base_len);
		rc = out->base_create_json ? 0 : -ENOMEM;
	}
	return rc;
}

/* Only what a wish for another runner makes of it goes wrong; it is said with the app. */
static int fill_made(const struct ipc_message *message, struct config_app *out,
		struct config_text *error) {
	const __typeof__(message->app) *from = &message->app;
	out->id = from->app;
	out->hdr = from->hdr;
	out->restart = from->restart;
	out->window_deadline_s = CONFIG_WINDOW_DEADLINE_S;
	out->title = strdup(from->title);
	out->runner.network = true;
	int rc = out->title ? 0 : -ENOMEM;
	if (rc == 0) {
		rc = copy_strings(from->argv, from->argv_len, &out->command, &out->command_count);
	}
	if (rc == 0) {
		rc = copy_strings(from->env, from->env_len, &out->runner.env.at,
				&out->runner.env.count);
	}
	if (rc == 0) {
		rc = copy_strings(from->mounts, from->mounts_len, &out->runner.mounts.at,
				&out->runner.mounts.count);
	}
	if (rc == 0) {
		rc = fill_container(message, &out->runner);
	}
	rc = rc < 0 ? rc : config_runner_type(from->runner, &out->runner, error);
	return rc < 0 ? rc : config_runner_check(out, error);
}

int apps_put(struct apps *apps, const struct ipc_message *message, const char *libexec) {
	const struct app *there = place_of(apps, message->app.app);
	if (there && there->origin != APP_MADE && there->origin != APP_GONE) {
		return -EEXIST;
	}
	struct config_app *made = calloc(1, sizeof(*made));
	struct app_source *source = made ? source_make(made, 1) : NULL;
	if (!source) {
		free(made);
		return -ENOMEM;
	}
	struct config_text error = { "" };
	int rc = fill_made(message, made, &error);
	struct app *app = NULL;
	bool runs = made->command_count > 0 || made->runner.type == RUNNER_CONTAINER;
	if (rc != -ENOMEM && runs) {
		app = add_configured(apps, made, APP_MADE, source, libexec);
		rc = rc == 0 && !app ? -ENOSPC : rc;
	}
	if (app && rc == -EINVAL) {
		app->installed = false;
		text_format(app->why_not, sizeof(app->why_not), "%.158s", error.text);
		rc = 0;
	}
	if (app) {
		text_copy(app->profile, sizeof(app->profile), message->app.profile);
	}
	release(source);
	return rc;
}

bool apps_drop(struct apps *apps, int32_t id) {
	struct app *app = place_of(apps, id);
	if (!app || app->origin != APP_MADE) {
		return false;
	}
	take_away(app);
	return true;
}

void apps_drop_profile(struct apps *apps, const char *profile) {
	for (unsigned i = 0; i < apps->count; i++) {
		struct app *app = &apps->list[i];
		if (app->origin == APP_MADE && strcmp(app->profile, profile) == 0) {
			take_away(app);
		}
	}
}

void apps_begin_listing(struct apps *apps) {
	for (unsigned i = 0; i < apps->count; i++) {
		apps->list[i].listed = false;
	}
}

void apps_end_listing(struct apps *apps) {
	for (unsigned i = 0; i < apps->count; i++) {
		if (apps->list[i].origin == APP_MADE && !apps->list[i].listed) {
			take_away(&apps->list[i]);
		}
	}
}

/* ---- for everybody ---- */

const struct app *apps_find(const struct apps *apps, int32_t id) {
	for (unsigned i = 0; i < apps->count; i++) {
		const struct app *app = &apps->list[i];
		if (app->origin != APP_FREE && app->origin != APP_GONE && app->id == id) {
			return app;
		}
	}
	return NULL;
}

const struct app *apps_find_or_hold(struct apps *apps, int32_t id) {
	struct app *app = place_of(apps, id);
	if (!app) {
		app = begin_place(apps, id, APP_GONE, NULL);
		if (app) {
			app->title = "An app that is not listed any more";
			app->hidden = true;
		}
	}
	return app;
}

/* NULL: somebody's own, of no list. */
static struct app *listed(struct apps *apps, const struct app *app) {
	for (unsigned i = 0; i < apps->count; i++) {
		if (&apps->list[i] == app) {
			return &apps->list[i];
		}
	}
	return NULL;
}

void apps_use(struct apps *apps, const struct app *app) {
	struct app *place = listed(apps, app);
	if (place) {
		place->uses++;
	}
}

void apps_leave(struct apps *apps, const struct app *app) {
	struct app *place = listed(apps, app);
	if (!place) {
		return;
	}
	place->uses--;
	if (place->uses == 0 && place->origin == APP_GONE) {
		empty(place);
	}
}

void apps_finish(struct apps *apps) {
	for (unsigned i = 0; i < apps->count; i++) {
		empty(&apps->list[i]);
	}
}
