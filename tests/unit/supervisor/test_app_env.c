/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "supervisor/app_env.h"
#include "supervisor/config_runner.h"

static const char *value(const char *blob, uint16_t len, const char *name, unsigned *count) {
	const char *found = NULL;
	size_t name_len = strlen(name);
	*count = 0;
	for (size_t at = 0; at < len; at += strlen(blob + at) + 1) {
		if (strncmp(blob + at, name, name_len) == 0 && blob[at + name_len] == '=') {
			found = blob + at + name_len + 1;
			(*count)++;
		}
	}
	return found;
}

static struct app_env some_env(const struct config_runner *runner) {
	return (struct app_env){ .session = 0x1234,
		.home = "/homes/a",
		.runtime = "/run/perigee/s-1",
		.sound = "unix:/run/perigee/s-1/pulse/native",
		.x_display = ":7",
		.width = 1280,
		.height = 720,
		.rate_mhz = 59940,
		.runner = runner };
}

static void what_apps_and_images_expect_is_there(void **state) {
	(void)state;
	static const char *const wanted[][2] = { { "HOME", "/homes/a" },
		{ "XDG_RUNTIME_DIR", "/run/perigee/s-1" }, { "WAYLAND_DISPLAY", "wayland-0" },
		{ "DISPLAY", ":7" }, { "PULSE_SERVER", "unix:/run/perigee/s-1/pulse/native" },
		{ "PULSE_SINK", "out" }, { "PULSE_SOURCE", "out.monitor" },
		{ "WOLF_SESSION_ID", "4660" },
		{ "PERIGEE_SESSION", "0000000000001234" }, { "GAMESCOPE_WIDTH", "1280" },
		{ "GAMESCOPE_HEIGHT", "720" }, { "GAMESCOPE_REFRESH", "60" },
		{ "SUNSHINE_CLIENT_FPS", "60" } };
	char blob[4096];
	uint16_t len;
	struct app_env env = some_env(NULL);
	assert_int_equal(app_env_write(&env, blob, sizeof(blob), &len), 0);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		unsigned count;
		assert_string_equal(value(blob, len, wanted[i][0], &count), wanted[i][1]);
		assert_int_equal(count, 1);
	}
}

/* The label by which an app is found again, and its sockets, are not the app's to choose. */
static void the_configuration_changes_what_is_usual_and_no_more(void **state) {
	(void)state;
	char home[] = "HOME=/elsewhere", label[] = "PERIGEE_SESSION=1", own[] = "GAME=1=2";
	char *words[] = { home, label, own };
	struct config_runner runner = { .env = { words, 3 } };
	struct app_env env = some_env(&runner);
	char blob[4096];
	uint16_t len;
	unsigned count;
	assert_int_equal(app_env_write(&env, blob, sizeof(blob), &len), 0);
	assert_string_equal(value(blob, len, "HOME", &count), "/elsewhere");
	assert_int_equal(count, 1);
	assert_string_equal(value(blob, len, "PERIGEE_SESSION", &count), "0000000000001234");
	assert_int_equal(count, 1);
	assert_string_equal(value(blob, len, "GAME", &count), "1=2");
}

static void what_does_not_fit_is_refused(void **state) {
	(void)state;
	char blob[4096];
	uint16_t len, whole;
	struct app_env env = some_env(NULL);
	assert_int_equal(app_env_write(&env, blob, sizeof(blob), &whole), 0);
	for (size_t size = 1; size < whole; size++) {
		assert_int_equal(app_env_write(&env, blob, size, &len), -E2BIG);
	}
	assert_int_equal(app_env_write(&env, blob, whole, &len), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(what_apps_and_images_expect_is_there),
		UNIT(the_configuration_changes_what_is_usual_and_no_more),
		UNIT(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
