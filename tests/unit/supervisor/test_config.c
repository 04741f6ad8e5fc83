/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/config.h"
#include "supervisor/config_check.h"
#include "supervisor/config_keys.h"

static int read_text(const char *yaml, struct config *config, struct config_text *error) {
	char path[] = "/tmp/perigee-test-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	fd_close(fd);
	config_defaults(config);
	int rc = config_read_file(path, config, error);
	if (rc == 0) {
		rc = config_check(config, error);
	}
	unlink(path);
	return rc;
}

static void a_file_changes_only_what_it_names(void **state) {
	(void)state;
	struct config config;
	struct config_text error;
	int rc = read_text("name: Living room\n"
			   "encryption: required\n"
			   "ports: {base: 50000, web: 8443}\n"
			   "keyboard: {layout: de}\n"
			   "limits: {sessions: 3, per_client: 2, processor: \"off\"}\n"
			   "apps:\n"
			   "  - title: Maps\n"
			   "    command: [marble, --map]\n"
			   "    package: marble\n",
			&config, &error);
	assert_int_equal(rc, 0);
	config_derive_ports(&config);
	assert_string_equal(config.name, "Living room");
	assert_int_equal(config.encryption, ENCRYPTION_REQUIRED);
	assert_int_equal(config.ports.http, 50000);
	assert_int_equal(config.ports.https, 49995);
	assert_int_equal(config.ports.rtsp, 50021);
	assert_int_equal(config.ports.web, 8443);
	assert_string_equal(config.keyboard.layout, "de");
	assert_int_equal(config.sessions_max, 3);
	assert_int_equal(config.per_client_max, 2);
	assert_false(config.limit_processor);
	assert_true(config.discovery);
	assert_int_equal(config.apps_count, 1);
	assert_int_equal(config.apps[0].command_count, 2);
	assert_string_equal(config.apps[0].command[1], "--map");
	assert_true(config.apps[0].id > 0);
	config_finish(&config);
}

static void a_wrong_key_is_named_with_its_place(void **state) {
	(void)state;
	struct config config;
	struct config_text error;
	assert_int_equal(read_text("name: x\nportz: {base: 1}\n", &config, &error), -EINVAL);
	assert_non_null(strstr(error.text, "portz"));
	assert_non_null(strstr(error.text, ", line 2: "));
	config_finish(&config);
}

static void wrong_types_and_values_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"ports: {base: many}\n",
		"ports: {base: 99999}\n",
		"encryption: maybe\n",
		"apps:\n  - title: x\n",
		"apps:\n  - command: [x]\n",
		"apps:\n  - title: a\n    command: [x]\n  - title: a\n    command: [y]\n",
		"apps:\n  - {title: a, command: [x], window_deadline: 86401}\n",
		"apps:\n  - {title: a, command: [x], window_deadline: never}\n",
		"limits: {sessions: 0}\n",
		"limits: {per_client: 0}\n",
		"limits: {processor: maybe}\n",
		"bind: localhost\n",
		"preset_pin: 471\n",
		"preset_pin: abcd\n",
		"preset_pin: \"12345\"\n",
		"name: [a, b]\n",
		": :\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config config;
		struct config_text error;
		assert_int_equal(read_text(bad[i], &config, &error), -EINVAL);
		assert_true(strlen(error.text) > 10);
		config_finish(&config);
	}
}

static void an_app_must_show_a_window_in_time_unless_it_says_otherwise(void **state) {
	(void)state;
	struct config config;
	struct config_text error = { "" };
	assert_int_equal(read_text("apps:\n  - {title: a, command: [x]}\n"
				   "  - {title: b, command: [x], window_deadline: 7}\n"
				   "  - {title: c, command: [x], window_deadline: 0}\n",
					 &config, &error),
			0);
	assert_int_equal(config.apps[0].window_deadline_s, CONFIG_WINDOW_DEADLINE_S);
	assert_int_equal(config.apps[1].window_deadline_s, 7);
	assert_int_equal(config.apps[2].window_deadline_s, 0);
	config_finish(&config);
}

/* A change of it is seen all the same. */
static void a_preset_pin_is_off_unless_given_and_shown_to_nobody(void **state) {
	(void)state;
	struct config config;
	struct config_text error = { "" };
	char text[CONFIG_VALUE_MAX];
	size_t key;
	assert_int_equal(config_key_find("preset_pin", &key), 0);
	assert_int_equal(read_text("name: x\n", &config, &error), 0);
	assert_null(config.preset_pin);
	config_key_show(&config, key, text);
	assert_string_equal(text, "");
	config_finish(&config);
	assert_int_equal(read_text("preset_pin: 0471\n", &config, &error), 0);
	assert_string_equal(config.preset_pin, "0471");
	config_key_show(&config, key, text);
	assert_string_equal(text, "(not shown)");
	config_key_get(&config, key, text);
	assert_string_equal(text, "0471");
	config_finish(&config);
}

static void a_containers_command_may_be_its_images(void **state) {
	(void)state;
	struct config config;
	struct config_text error = { "" };
	assert_int_equal(read_text("apps:\n  - title: a\n"
				   "    runner: {type: container, image: a}\n",
					 &config, &error),
			0);
	assert_int_equal(config.apps[0].command_count, 0);
	config_finish(&config);
}

static void a_flag_wins_over_the_file(void **state) {
	(void)state;
	struct config config;
	struct config_text error = { "" };
	const char *argv[] = { "perigeed", "--config", "/dev/null", "--port", "51000",
		"--rtsp-port", "7", "--encryption", "off", "--no-discovery", NULL };
	assert_int_equal(config_load(10, (char **)(uintptr_t)argv, &config, &error), 0);
	assert_int_equal(config.ports.http, 51000);
	assert_int_equal(config.ports.rtsp, 7);
	assert_int_equal(config.ports.audio, 51011);
	assert_int_equal(config.encryption, ENCRYPTION_OFF);
	assert_false(config.discovery);
	config_finish(&config);
}

/* Something else than the default that the key takes. */
static void another_value(const struct config *config, size_t key, char out[CONFIG_VALUE_MAX]) {
	static const struct {
		const char *key, *value;
	} own[] = {
		{ "bind", "127.0.0.1" },
		{ "encoders", "x264" },
		{ "log_level", "debug" },
		{ "preset_pin", "4711" },
		{ "container_engine", "/run/x" },
		{ "folders.state", "/x" },
		{ "folders.data", "/x" },
		{ "folders.runtime", "/x" },
		{ "folders.log", "/x" },
	};
	static const struct {
		const char *now, *other;
	} words[] = {
		{ "true", "false" },
		{ "false", "true" },
		{ "on", "required" },
		{ "measured", "off" },
		{ "off", "hourly" },
		{ "replace", "keep" },
		{ "", "text" },
	};
	char now[CONFIG_VALUE_MAX];
	config_key_get(config, key, now);
	text_copy(out, CONFIG_VALUE_MAX, "1234"); /* any number */
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(now, words[i].now) == 0) {
			text_copy(out, CONFIG_VALUE_MAX, words[i].other);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(config_key_name(key), own[i].key) == 0) {
			text_copy(out, CONFIG_VALUE_MAX, own[i].value);
		}
	}
}

static void is_taken(
		size_t key, const char *value, enum config_from from, int argc, const char **argv) {
	struct config config;
	struct config_text error = { "" };
	char got[CONFIG_VALUE_MAX];
	int rc = config_load(argc, (char **)(uintptr_t)argv, &config, &error);
	/* What no number fits is refused by name: it was taken. */
	if (rc == -EINVAL && strstr(error.text, config_key_name(key)) &&
			strstr(error.text, "must lie between")) {
		return;
	}
	if (rc < 0) {
		fail_msg("%s: %s", config_key_name(key), error.text);
	}
	config_key_get(&config, key, got);
	assert_string_equal(got, value);
	assert_int_equal(config.from[key], from);
	config_finish(&config);
}

static void every_key_is_taken_from_the_environment_and_by_a_flag(void **state) {
	(void)state;
	struct config defaults;
	config_defaults(&defaults);
	for (size_t key = 0; key < config_keys_count(); key++) {
		char value[CONFIG_VALUE_MAX], set[2 * CONFIG_VALUE_MAX], variable[CONFIG_VALUE_MAX];
		another_value(&defaults, key, value);
		text_format(set, sizeof(set), "%s=%s", config_key_name(key), value);
		config_key_variable(key, variable);
		const char *argv[] = { "perigeed", "--config", "/dev/null", "--set", set, NULL };
		is_taken(key, value, CONFIG_FROM_FLAG, 5, argv);
		assert_int_equal(setenv(variable, value, 1), 0);
		is_taken(key, value, CONFIG_FROM_ENVIRONMENT, 3, argv);
		assert_int_equal(unsetenv(variable), 0);
	}
	config_finish(&defaults);
}

/* Whatever becomes of the file. */
static void a_successor_reads_what_its_predecessor_read(void **state) {
	(void)state;
	struct config config, next;
	struct config_text error = { "" };
	char path[] = "/tmp/perigee-test-XXXXXX", copy[32];
	OWN(fd_close) int fd = mkstemp(path);
	assert_int_equal(write(fd, "name: Living room\n", 18), 18);
	const char *argv[] = { "perigeed", "--config", path, "--port", "51000", NULL };
	assert_int_equal(config_load(5, (char **)(uintptr_t)argv, &config, &error), 0);
	assert_string_equal(config.file, path);
	OWN(fd_close) int kept = config_copy(&config);
	assert_true(kept >= 0);
	assert_int_equal(pwrite(fd, "nome", 4, 0), 4);
	assert_int_equal(config_load(5, (char **)(uintptr_t)argv, &next, &error), -EINVAL);
	text_format(copy, sizeof(copy), "/proc/self/fd/%d", kept);
	assert_int_equal(config_load_copy(copy, 5, (char **)(uintptr_t)argv, &next, &error), 0);
	assert_string_equal(next.name, "Living room");
	assert_int_equal(next.ports.http, 51000);
	config_finish(&next);
	config_finish(&config);
	unlink(path);
}

static void wrong_flags_are_explained(void **state) {
	(void)state;
	const char *bad[][4] = {
		{ "perigeed", "--nonsense", NULL, NULL },
		{ "perigeed", "--port", "x", NULL },
		{ "perigeed", "--port", NULL, NULL },
		{ "perigeed", "surplus", NULL, NULL },
		{ "perigeed", "--encryption", "maybe", NULL },
		{ "perigeed", "--config", "/nonexistent/file", NULL },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config config;
		struct config_text error = { "" };
		int argc = 0;
		while (bad[i][argc]) {
			argc++;
		}
		assert_int_equal(config_load(argc, (char **)(uintptr_t)bad[i], &config, &error),
				-EINVAL);
		assert_true(strlen(error.text) > 10);
	}
}

static void an_app_keeps_its_id(void **state) {
	(void)state;
	assert_int_equal(config_app_id("Pattern"), config_app_id("Pattern"));
	assert_int_not_equal(config_app_id("Pattern"), config_app_id("Desktop"));
	assert_true(config_app_id("") > 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_file_changes_only_what_it_names),
		UNIT(a_wrong_key_is_named_with_its_place),
		UNIT(wrong_types_and_values_are_refused),
		UNIT(an_app_must_show_a_window_in_time_unless_it_says_otherwise),
		UNIT(a_preset_pin_is_off_unless_given_and_shown_to_nobody),
		UNIT(a_containers_command_may_be_its_images),
		UNIT(a_flag_wins_over_the_file),
		UNIT(every_key_is_taken_from_the_environment_and_by_a_flag),
		UNIT(a_successor_reads_what_its_predecessor_read),
		UNIT(wrong_flags_are_explained),
		UNIT(an_app_keeps_its_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
