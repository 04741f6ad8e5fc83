/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "supervisor/config.h"
#include "supervisor/config_check.h"
#include "supervisor/config_explain.h"

/* Each mistake is told with its line, its key, and what would be right. */

#define APP "apps:\n  - title: a\n    command: [x]\n"

static const struct mistake {
	const char *file;
	unsigned line;
	const char *words;
} mistakes[] = {
	/* unknown keys */
	{ "name: x\nportz: {base: 1}\n", 2, "there is no key \"portz\" here; perigee.yaml(5)" },
	{ "ports:\n  http: 80\n  foo: 3\n", 3, "there is no key \"foo\" here; perigee.yaml(5)" },
	{ APP "    runner:\n      typ: sandbox\n", 5, "there is no key \"typ\" here" },
	/* wrong types */
	{ "name: [a, b]\n", 1, "name must be one text, not a list or keys" },
	{ "encoders: [nvenc, x264]\n", 1, "encoders must be one text" },
	{ "\n\nname:\n", 3, "name has no value: say one, or leave the key out" },
	{ "limits:\n  sessions: many\n", 2, "limits.sessions: \"many\" is not a whole number" },
	{ "limits:\n  sessions: -1\n", 2, "limits.sessions: \"-1\" is not a whole number" },
	{ "limits:\n  sessions: [1]\n", 2, "limits.sessions must be one whole number" },
	{ "ports:\n  base: 99999\n", 2, "ports.base: \"99999\" is not a whole number" },
	{ "name: x\nlimits: 5\n", 2, "limits must have keys" },
	{ "hello\n", 1, "the file must have keys" },
	{ "- a\n", 1, "the file must have keys" },
	{ "discovery: maybe\n", 1, "discovery: \"maybe\" is not one of true, false" },
	{ "home: [true]\n", 1, "home must be true or false" },
	{ APP "    hdr: 3\n", 4, "apps[0].hdr: \"3\" is not one of true, false" },
	{ APP "    id: b\n", 4, "apps[0].id: \"b\" is not a whole number" },
	{ "apps:\n  - title: a\n    command: x\n", 3, "apps[0].command must be a list" },
	{ APP "  - command: [x]\n", 4, "apps[1] has no title" },
	{ "name: x\nname: y\n", 1, "name is there twice: leave one" },
	/* wrong values */
	{ "log_level: loud\n", 1, "log_level \"loud\": say error, warning, info or debug" },
	{ "encoders: nvenc,h264\n", 1, "encoders \"h264\": say some of nvenc, vaapi, qsv" },
	{ "folders:\n  state: here\n", 2, "folders.state \"here\": an absolute path is needed" },
	{ "limits:\n  processor: 3\n", 2, "limits.processor \"3\" is not one of off, measured" },
	{ "lobbies:\n  max_age: 9999999\n", 2, "lobbies.max_age must lie between 0 and 2678400" },
	{ "evidence:\n  megabytes: 0\n", 2, "evidence.megabytes must lie between 1 and" },
	{ "apps:\n  - title: a\n", 2, "apps[0].command is missing: say the program" },
	{ APP "    privileges: all\n", 4, "apps[0].privileges: \"all\" is not one of confined" },
	{ APP "  - title: b\n    command: [x]\n    runner:\n      type: docker\n", 7,
			"apps[1].runner.type: \"docker\" is not one of process, sandbox" },
	{ APP "    runner:\n      type: sandbox\n      mounts: [a]\n", 6,
			"apps[0].runner.mounts: \"a\" is not HOST:INSIDE" },
	{ APP "    runner: {type: container}\n", 2, "apps[0].runner.image is missing" },
	{ APP "  - title: b\n    command: [x]\n  - title: a\n    command: [y]\n", 6,
			"apps[2] \"a\" has the same title or id as \"a\"" },
	{ "clients:\n  - permissions: [list]\n", 2, "clients[0] has no name" },
	{ "name: x\nclients:\n  - name: a\n  - name: b\n    permissions: [fly]\n", 5,
			"clients[1].permissions: \"fly\" is not one of list, launch" },
	{ "clients:\n  - name: a\n    permissions: list\n", 3,
			"clients[0].permissions must be a list" },
	{ "clients:\n  - name: a\n    mouse_acceleration: fast\n", 3,
			"clients[0].mouse_acceleration: \"fast\" is not a number" },
	{ "clients:\n  - name: a\n    mouse_acceleration: 0\n", 3,
			"clients[0].mouse_acceleration must lie between 0.01 and 100" },
	{ "clients:\n  - name: a\n    run_uid: 0\n", 3, "clients[0].run_uid: 0 would be root" },
	{ "clients:\n  - name: a\n    app_state_folder: ../x\n", 3,
			"clients[0].app_state_folder: at most 95 letters" },
	{ "clients:\n  - name: a\n    controllers_override: [SEGA]\n", 3,
			"clients[0].controllers_override: \"SEGA\" is not one of AUTO, XBOX" },
	{ APP "clients:\n  - name: a\n    only_apps: [a, Paint]\n", 6,
			"clients[0].only_apps: there is no app \"Paint\"; say its title" },
	{ "clients:\n  - name: a\n    permissions: []\n", 3,
			"clients[0].permissions has no entries" },
	{ "profiles:\n  - id: a\n    name: A\n    pin: 12\n", 4,
			"profiles[0].pin: 4 to 15 digits" },
	{ "profiles:\n  - id: a\n    name: A\n  - id: ../b\n    name: B\n", 4,
			"profiles[1].id: 1 to 47 letters" },
	{ "profiles:\n  - id: a\n", 2, "profiles[0] has no name" },
	{ "profiles:\n  - id: a\n    name: A\n  - name: B\n    id: a\n", 5,
			"profiles[1].id: \"a\" is there twice" },
	{ "name: a\nclients:\n  - name: a\n  - name: a\n", 4, "\"a\" is there twice" },
	/* no YAML */
	{ "name: x\nuser: \"x\n", 2, "this is not YAML" },
	{ "limits:\n\tsessions: 1\n", 2, "this is not YAML" },
	{ "discovery: true\nname: a: b\n", 2, "this is not YAML" },
};

static void every_mistake_has_its_line_and_what_would_be_right(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
		char path[] = "/tmp/perigee-test-XXXXXX", place[80];
		OWN(fd_close) int fd = mkstemp(path);
		ssize_t len = (ssize_t)strlen(mistakes[i].file);
		assert_int_equal(write(fd, mistakes[i].file, (size_t)len), len);
		struct config config;
		struct config_text error = { "" };
		config_defaults(&config);
		int rc = config_read_file(path, &config, &error);
		if (rc == 0) {
			rc = config_check(&config, &error);
			config_add_place(&config, &error);
		}
		unlink(path);
		config_finish(&config);
		text_format(place, sizeof(place), "%s, line %u: ", path, mistakes[i].line);
		if (rc != -EINVAL || !strstr(error.text, place) ||
				!strstr(error.text, mistakes[i].words)) {
			fail_msg("%s%d: %s", mistakes[i].file, rc, error.text);
		}
	}
}

/* One with the word in an app's command before it, say. */
static void a_key_is_found_where_it_stands(void **state) {
	(void)state;
	char path[] = "/tmp/perigee-test-XXXXXX";
	static const char text[] = "name: x\napps:\n  - title: a\n    command: [env]\n"
				   "  - command: [x]\n    title: b\n    hdr: true\n";
	OWN(fd_close) int fd = mkstemp(path);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(config_line(path, "name"), 1);
	assert_int_equal(config_line(path, "apps[0].command"), 4);
	assert_int_equal(config_line(path, "apps[1].hdr"), 7);
	assert_int_equal(config_line(path, "apps[1].restart"), 6);
	assert_int_equal(config_line(path, "apps[0].hdr"), 3);
	assert_int_equal(config_line(path, "bind"), 0);
	assert_int_equal(config_line("/nowhere", "bind"), 0);
	unlink(path);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_mistake_has_its_line_and_what_would_be_right),
		UNIT(a_key_is_found_where_it_stands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
