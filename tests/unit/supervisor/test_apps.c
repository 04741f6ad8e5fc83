/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/app_made.h"
#include "supervisor/apps.h"

static const char *const words[] = { "true" };

static void configure(struct config *config, const char *const *titles, bool default_apps) {
	config_defaults(config);
	config->home = config->default_apps = default_apps;
	while (titles[config->apps_count]) {
		config->apps_count++;
	}
	config->apps = calloc(config->apps_count + 1, sizeof(*config->apps));
	for (unsigned i = 0; i < config->apps_count; i++) {
		struct config_app *app = &config->apps[i];
		app->title = strdup(titles[i]);
		app->id = config_app_id(titles[i]);
		app->command = calloc(1, sizeof(*app->command));
		app->command[0] = strdup(words[0]);
		app->command_count = 1;
	}
}

static void settle(struct apps *apps, const char *const *titles, bool default_apps) {
	struct config config;
	configure(&config, titles, default_apps);
	apps_settle(apps, &config, "/usr/bin");
	assert_int_equal(config.apps_count, 0); /* they are the apps' now */
	config_finish(&config);
}

#define TITLES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static unsigned shown(const struct apps *apps) {
	unsigned count = 0;
	for (unsigned i = 0; i < apps->count; i++) {
		count += !apps->list[i].hidden;
	}
	return count;
}

static struct ipc_message made(int32_t number, const char *title) {
	struct ipc_message row = { .kind = IPC_APP, .app.app = number };
	text_copy(row.app.title, sizeof(row.app.title), title);
	text_copy(row.app.how.runner, sizeof(row.app.how.runner), "process");
	memcpy(row.app.argv, "true\0-x", 8);
	row.app.argv_len = 8;
	return row;
}

static void a_reload_takes_and_gives(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint", "Maps"), true);
	assert_int_equal(shown(apps), 6);
	assert_true(apps->list[0].launcher); /* listed first */
	assert_string_equal(apps->list[0].title, "Home");
	assert_true(apps->list[apps->trial].hidden);
	const struct app *paint = apps_find(apps, config_app_id("Paint"));
	assert_true(paint->installed);
	settle(apps, TITLES("Maps", "Chess"), false);
	assert_int_equal(shown(apps), 2);
	assert_null(apps_find(apps, config_app_id("Paint")));
	assert_null(apps_find(apps, config_app_id("Desktop")));
	assert_non_null(apps_find(apps, config_app_id("Chess")));
	assert_non_null(apps_find(apps, config_app_id("Maps")));
	assert_int_equal(apps->list[apps->trial].origin, APP_TRIAL);
	apps_finish(apps);
	free(apps);
}

/* Whoever runs keeps its words, and is not shown to others. */
static void what_is_used_keeps_its_place(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	const struct app *paint = apps_find(apps, config_app_id("Paint"));
	apps_use(apps, paint);
	settle(apps, TITLES("Chess"), false);
	assert_null(apps_find(apps, config_app_id("Paint")));
	assert_string_equal(paint->title, "Paint");
	assert_string_equal(paint->command[0], "true");
	assert_true(paint->hidden);
	assert_int_equal(paint->origin, APP_GONE);
	/* It comes back to the same place. */
	settle(apps, TITLES("Chess", "Paint"), false);
	assert_ptr_equal(apps_find(apps, config_app_id("Paint")), paint);
	assert_int_equal(paint->uses, 1);
	settle(apps, TITLES("Chess"), false);
	apps_leave(apps, paint);
	assert_int_equal(paint->origin, APP_FREE);
	apps_finish(apps);
	free(apps);
}

/* A lobby's command makes an app that no list knows. */
static void an_app_of_no_list_is_left_alone(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	struct app own = { .title = "Own" };
	apps_use(apps, &own);
	assert_int_equal(own.uses, 0);
	apps_leave(apps, &own);
	assert_int_equal(own.uses, 0);
	assert_string_equal(own.title, "Own");
	assert_int_equal(apps_find(apps, config_app_id("Paint"))->uses, 0);
	apps_finish(apps);
	free(apps);
}

static void programs_make_apps_and_take_them_away(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	struct ipc_message row = made(77, "Draw");
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), 0);
	const struct app *draw = apps_find(apps, 77);
	assert_string_equal(draw->title, "Draw");
	assert_int_equal(draw->command_count, 2);
	assert_string_equal(draw->command[1], "-x");
	assert_true(draw->installed);
	row.app.app = config_app_id("Paint");
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), -EEXIST);
	row = made(78, "Odd");
	text_copy(row.app.how.runner, sizeof(row.app.how.runner), "magic");
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), 0);
	assert_false(apps_find(apps, 78)->installed);
	assert_non_null(strstr(apps_find(apps, 78)->why_not, "magic"));
	row = made(79, "Box");
	text_copy(row.app.how.runner, sizeof(row.app.how.runner), "container");
	text_copy(row.app.how.image, sizeof(row.app.how.image), "localhost/box");
	memcpy(row.app.how.devices, "/dev/fuse", 10);
	row.app.how.devices_len = 10;
	row.app.argv_len = 0;
	memcpy(row.app.how.base, "{}", 2);
	row.app.how.base_len = 2;
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), 0);
	const struct app *box = apps_find(apps, 79);
	assert_true(box->installed);
	assert_string_equal(box->runner->image, "localhost/box");
	assert_int_equal(box->runner->devices.count, 1);
	assert_string_equal(box->runner->base_create_json, "{}");
	/* A reload of the configuration is none of their business. */
	settle(apps, TITLES("Maps"), false);
	assert_ptr_equal(apps_find(apps, 77), draw);
	assert_true(apps_drop(apps, 77));
	assert_false(apps_drop(apps, 77));
	assert_false(apps_drop(apps, config_app_id("Maps")));
	apps_finish(apps);
	free(apps);
}

static void a_lobbys_own_app_is_made_or_refused_with_words(void **state) {
	(void)state;
	struct ipc_app_how how = { .runner = "sandbox", .env_len = 4, .env = "A=1" };
	struct app_words said = { .title = "Own", .argv = "true\0-x", .argv_len = 8, .how = &how };
	struct app app = { .title = NULL };
	struct config_text error = { "" };
	assert_int_equal(app_make_own(&said, "/usr/bin", &app, &error), 0);
	assert_string_equal(app.title, "Own");
	assert_int_equal(app.command_count, 2);
	assert_int_equal(app.runner->type, RUNNER_SANDBOX);
	assert_string_equal(app.runner->env.at[0], "A=1");
	app_finish_own(&app);
	app_finish_own(&app); /* harmless */
	text_copy(how.image, sizeof(how.image), "box");
	assert_int_equal(app_make_own(&said, "/usr/bin", &app, &error), -EINVAL);
	assert_non_null(strstr(error.text, "image"));
	how = (struct ipc_app_how){ .runner = "container" };
	assert_int_equal(app_make_own(&said, "/usr/bin", &app, &error), -EINVAL);
	said.argv = "/no/such/program";
	said.argv_len = 17;
	how = (struct ipc_app_how){ .runner = "" };
	assert_int_equal(app_make_own(&said, "/usr/bin", &app, &error), -EINVAL);
	assert_non_null(strstr(error.text, "/no/such/program"));
	app_finish_own(&app);
}

static void who_is_not_in_the_stores_list_is_gone(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	struct ipc_message one = made(1, "One"), two = made(2, "Two");
	text_copy(two.app.profile, sizeof(two.app.profile), "ann");
	assert_int_equal(apps_put(apps, &one, "/usr/bin"), 0);
	assert_int_equal(apps_put(apps, &two, "/usr/bin"), 0);
	apps_begin_listing(apps);
	assert_int_equal(apps_put(apps, &two, "/usr/bin"), 0);
	apps_end_listing(apps);
	assert_null(apps_find(apps, 1));
	assert_string_equal(apps_find(apps, 2)->profile, "ann");
	apps_drop_profile(apps, "ann");
	assert_null(apps_find(apps, 2));
	assert_non_null(apps_find(apps, config_app_id("Paint")));
	apps_finish(apps);
	free(apps);
}

/* The session of a supervisor before us: its app is told by the store later. */
static void an_unknown_app_is_held_and_filled_in(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	const struct app *held = apps_find_or_hold(apps, 77);
	apps_use(apps, held);
	assert_true(held->hidden);
	assert_null(apps_find(apps, 77));
	struct ipc_message row = made(77, "Draw");
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), 0);
	assert_ptr_equal(apps_find(apps, 77), held);
	assert_string_equal(held->title, "Draw");
	assert_int_equal(held->uses, 1);
	apps_finish(apps);
	free(apps);
}

static void there_is_an_end_to_places(void **state) {
	(void)state;
	struct apps *apps = calloc(1, sizeof(*apps));
	settle(apps, TITLES("Paint"), false);
	int rc = 0;
	int32_t number = 1;
	while (rc == 0) {
		struct ipc_message row = made(number++, "One");
		rc = apps_put(apps, &row, "/usr/bin");
	}
	assert_int_equal(rc, -ENOSPC);
	assert_int_equal(apps->count, APPS_MAX);
	assert_true(apps_drop(apps, 1));
	struct ipc_message row = made(number, "One");
	assert_int_equal(apps_put(apps, &row, "/usr/bin"), 0);
	apps_finish(apps);
	free(apps);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_reload_takes_and_gives),
		UNIT(what_is_used_keeps_its_place),
		UNIT(an_app_of_no_list_is_left_alone),
		UNIT(programs_make_apps_and_take_them_away),
		UNIT(a_lobbys_own_app_is_made_or_refused_with_words),
		UNIT(who_is_not_in_the_stores_list_is_gone),
		UNIT(an_unknown_app_is_held_and_filled_in),
		UNIT(there_is_an_end_to_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
