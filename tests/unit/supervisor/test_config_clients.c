/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/config.h"
#include "supervisor/config_check.h"
#include "supervisor/config_clients.h"

static const char file[] = "name: Attic\n"
			   "apps:\n  - {title: Paint, command: [x], id: 77}\n"
			   "clients:\n"
			   "  - name: Children\n"
			   "    permissions: [list, launch]\n"
			   "    only_apps: [Paint, Pattern, \"12\"]\n"
			   "    only_lobbies: [Film night, Games]\n"
			   "    mouse_acceleration: 1.5\n"
			   "    v_scroll_acceleration: 0.25\n"
			   "    h_scroll_acceleration: 2\n"
			   "    controllers_override: [XBOX, ps]\n"
			   "    motion_controller_override: PS\n"
			   "    run_uid: 1001\n"
			   "    run_gid: 1002\n"
			   "    app_state_folder: shared\n"
			   "  - name: TV\n"
			   "    permissions: [all]\n"
			   "    only_apps: [all]\n";

static void read_text(const char *text, struct config *config) {
	char path[] = "/tmp/perigee-test-XXXXXX";
	struct config_text error = { "" };
	OWN(fd_close) int fd = mkstemp(path);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	config_defaults(config);
	int rc = config_read_file(path, config, &error);
	rc = rc < 0 ? rc : config_check(config, &error);
	unlink(path);
	if (rc < 0) {
		fail_msg("%s", error.text);
	}
}

/* As the state has a client that was just paired. */
static client_settings paired(const char *name) {
	client_settings settings = { .permissions = PERMIT_ALL,
		.run_uid = 1000,
		.run_gid = 1000,
		.mouse_milli = 1000,
		.scroll_milli = 1000,
		.scroll_side_milli = 1000,
		.fields = SETTING_ALL };
	text_copy(settings.name, sizeof(settings.name), name);
	return settings;
}

static void a_client_gets_what_the_file_says(void **state) {
	(void)state;
	struct config config;
	read_text(file, &config);
	client_settings settings = paired("Children");
	assert_int_equal(config_clients_lay_over(&config, &settings), SETTING_ALL & ~SETTING_NAME);
	assert_int_equal(settings.permissions, PERMIT_LIST | PERMIT_LAUNCH);
	assert_int_equal(settings.apps_count, 3);
	assert_int_equal(settings.apps[0], 77);
	assert_int_equal(settings.apps[1], config_app_id("Pattern"));
	assert_int_equal(settings.apps[2], 12);
	assert_memory_equal(settings.lobbies, "Film night\0Games", 17);
	assert_int_equal(settings.lobbies_len, 17);
	assert_int_equal(settings.mouse_milli, 1500);
	assert_int_equal(settings.scroll_milli, 250);
	assert_int_equal(settings.scroll_side_milli, 2000);
	assert_int_equal(settings.controllers_count, 2);
	assert_int_equal(settings.controllers[0], PAD_XBOX);
	assert_int_equal(settings.motion, settings.controllers[1]);
	assert_int_equal(settings.run_uid, 1001);
	assert_int_equal(settings.run_gid, 1002);
	assert_string_equal(settings.folder, "shared");
	/* Once it is so there is nothing to change: whoever tells it again is not answered. */
	assert_int_equal(config_clients_lay_over(&config, &settings), 0);
	config_finish(&config);
}

static void what_the_file_does_not_name_stays(void **state) {
	(void)state;
	struct config config;
	read_text(file, &config);
	client_settings tv = paired("TV"), other = paired("Children's"), same = other;
	tv.permissions = PERMIT_LIST;
	tv.apps_count = 1;
	tv.apps[0] = 5;
	tv.mouse_milli = 700;
	assert_int_equal(config_clients_lay_over(&config, &tv), SETTING_PERMISSIONS | SETTING_APPS);
	assert_int_equal(tv.permissions, PERMIT_ALL);
	assert_int_equal(tv.apps_count, 0);
	assert_int_equal(tv.mouse_milli, 700);
	assert_int_equal(config_clients_lay_over(&config, &other), 0);
	assert_memory_equal(&other, &same, sizeof(same));
	config_finish(&config);
}

static void a_change_of_the_file_is_seen(void **state) {
	(void)state;
	struct config one, other, none;
	read_text(file, &one);
	read_text(file, &other);
	read_text("name: Attic\n", &none);
	assert_true(config_clients_same(&one, &other));
	assert_false(config_clients_same(&one, &none));
	other.clients[1].settings.permissions = PERMIT_LIST;
	assert_false(config_clients_same(&one, &other));
	config_finish(&one);
	config_finish(&other);
	config_finish(&none);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_client_gets_what_the_file_says),
		UNIT(what_the_file_does_not_name_stays),
		UNIT(a_change_of_the_file_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
