/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APPS_H
#define SUPERVISOR_APPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/config.h"

struct app_words;
struct ipc_message;

/* The apps: ours, the configured ones, and those that programs made. Each keeps its place
 * for as long as something uses it: who runs when an app is taken away goes on. */

enum {
	APPS_MAX = 256, /* as many as a door holds */
};

enum app_origin {
	APP_FREE, /* nobody's place */
	APP_OURS,
	APP_CONFIGURED,
	APP_MADE,  /* by a program, and kept by the store */
	APP_GONE,  /* taken away while it is used, or not known yet */
	APP_TRIAL, /* of the readiness trial */
};

/* What apps borrow their words from; freed when no app does any more. */
struct app_source {
	unsigned uses;
	struct config_app *apps; /* owned array */
	unsigned count;
};

struct app {
	enum app_origin origin;
	int32_t id;
	const char *title;          /* borrowed from a table or the source */
	const char *const *command; /* borrowed, command_count words */
	unsigned command_count;
	char profile[48]; /* whose it is; "": listed by Moonlight */
	bool hdr;
	bool restart;                       /* with its desktop, when that dies */
	bool normal_privileges;             /* not confined */
	const struct config_runner *runner; /* borrowed; NULL: nothing was said */
	uint32_t window_deadline_s;         /* until it must have had a window; 0: never */
	bool installed;
	bool launcher;     /* Home: it may ask for lobbies */
	bool hidden;       /* nobody is shown it; only the readiness trial launches such a one */
	bool listed;       /* APP_MADE: by the store that is there now */
	char program[256]; /* full path when installed */
	char why_not[160]; /* else: what to install */
	struct app_source *source; /* NULL: nothing is borrowed */
	uint64_t hash;             /* of all that its source says of it */
	unsigned uses;             /* desks */
};

struct apps {
	struct app list[APPS_MAX];
	unsigned count; /* places that were ever used */
	unsigned trial; /* its place */
};

/* Ours, the trial's and the configured ones, instead of those that were there. Takes the
 * config's list of apps. Looks every program up; libexec is searched before PATH. */
void apps_settle(struct apps *apps, struct config *config, const char *libexec);

/* Whether that is the title of one of ours: Home, Desktop, Terminal or Pattern. */
bool apps_is_built_in(const char *title);

/* Whether the config's apps are others than those that are there. */
bool apps_differ(const struct apps *apps, const struct config *config);

/* APP of the store. -ENOSPC, -ENOMEM; -EEXIST when the number is a configured app's. */
int apps_put(struct apps *apps, const struct ipc_message *message, const char *libexec) NODISCARD;

/* An app of no list: its desk's owner has it, which finishes it when the desk is gone. -ENOMEM;
 * -EINVAL with the reason in error. */
int app_make_own(const struct app_words *words, const char *libexec, struct app *out,
		struct config_text *error) NODISCARD;
/* Harmless on one that was never made. */
void app_finish_own(struct app *app);

/* One that was made by a program is taken away; false when there is none. */
bool apps_drop(struct apps *apps, int32_t id);
/* All that a profile had. */
void apps_drop_profile(struct apps *apps, const char *profile);

/* A store lists them all again: between these two, who is not named is taken away. */
void apps_begin_listing(struct apps *apps);
void apps_end_listing(struct apps *apps);

/* Who is shown and launched by that number. */
const struct app *apps_find(const struct apps *apps, int32_t id);

/* The app of a session that was there before us; a place without words, APP_GONE, when
 * it is not known (yet). NULL when there is no place. */
const struct app *apps_find_or_hold(struct apps *apps, int32_t id);

/* A desk begins or ends to use it: a listed one stays whole until nobody does. An app that is
 * its lobby's own is left alone. */
void apps_use(struct apps *apps, const struct app *app);
void apps_leave(struct apps *apps, const struct app *app);

void apps_finish(struct apps *apps);

#endif
