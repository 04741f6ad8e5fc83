/* SPDX-License-Identifier: MIT */
#include "supervisor/apps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/app_made.h"
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

bool apps_is_built_in(const char *title) {
	for (size_t i = 0; i < ARRAY_LEN(built_ins); i++) {
		if (strcmp(built_ins[i].title, title) == 0) {
			return true;
		}
	}
	return false;
}

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

static void fill_configured(struct app *app, const struct config_app *from, const char *libexec) {
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
}

static struct app *add_configured(struct apps *apps, const struct config_app *from,
		enum app_origin origin, struct app_source *source, const char *libexec) {
	struct app *app = begin_place(apps, from->id, origin, source);
	if (app) {
		fill_configured(app, from, libexec);
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
	/* Only what a wish for another runner makes of it goes wrong; it is said with the app. */
	const struct app_words words = { .id = message->app.app,
		.title = message->app.title,
		.argv = message->app.argv,
		.argv_len = message->app.argv_len,
		.hdr = message->app.hdr,
		.restart = message->app.restart,
		.how = &message->app.how };
	int rc = app_made_fill(&words, made, &error);
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

int app_make_own(const struct app_words *words, const char *libexec, struct app *out,
		struct config_text *error) {
	struct config_app *made = calloc(1, sizeof(*made));
	struct app_source *source = made ? source_make(made, 1) : NULL;
	if (!source) {
		free(made);
		return -ENOMEM;
	}
	int rc = app_made_fill(words, made, error);
	if (rc < 0) {
		release(source);
		return rc;
	}
	*out = (struct app){
		.origin = APP_MADE, .id = words->id, .hidden = true, .source = source
	};
	fill_configured(out, made, libexec);
	if (out->installed) {
		return 0;
	}
	rc = config_refuse(error, "%.150s", out->why_not);
	app_finish_own(out);
	return rc;
}

void app_finish_own(struct app *app) {
	release(TAKE(app->source, NULL));
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
