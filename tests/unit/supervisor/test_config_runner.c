/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ipc/message.h"
#include "supervisor/config.h"

/* Reads one app whose further lines are given. */
static int read_app(const char *lines, struct config *config, struct config_text *error) {
	char path[] = "/tmp/perigee-test-XXXXXX", yaml[1024];
	OWN(fd_close) int fd = mkstemp(path);
	assert_true(fd >= 0);
	text_format(yaml, sizeof(yaml), "apps:\n  - title: Game\n    command: [game]\n%s", lines);
	assert_int_equal(write(fd, yaml, strlen(yaml)), strlen(yaml));
	config_defaults(config);
	int rc = config_read_file(path, config, error);
	unlink(path);
	return rc;
}

static void a_runner_is_read_whole(void **state) {
	(void)state;
	struct config config;
	struct config_text error;
	assert_int_equal(read_app("    runner:\n"
				  "      type: sandbox\n"
				  "      network: false\n"
				  "      folder: /srv/game\n"
				  "      env: [A=1, B=]\n"
				  "      mounts: [\"/srv/game:/srv/game:ro\", \"/srv/x:/x\"]\n",
					 &config, &error),
			0);
	const struct config_runner *runner = &config.apps[0].runner;
	assert_int_equal(runner->type, RUNNER_SANDBOX);
	assert_false(runner->network);
	assert_string_equal(runner->folder, "/srv/game");
	assert_int_equal(runner->env.count, 2);
	assert_string_equal(runner->env.at[1], "B=");
	assert_int_equal(runner->mounts.count, 2);
	config_finish(&config);
}

static void without_one_the_host_decides(void **state) {
	(void)state;
	struct config config;
	struct config_text error;
	assert_int_equal(read_app("", &config, &error), 0);
	assert_int_equal(config.apps[0].runner.type, RUNNER_AUTO);
	assert_true(config.apps[0].runner.network);
	config_finish(&config);
}

static void what_does_not_fit_together_is_refused_with_the_reason(void **state) {
	(void)state;
	static const char *const wrong[][2] = {
		{ "    runner: {type: jail}\n", "not one of process, sandbox" },
		{ "    runner: {type: process, network: false}\n", "sees the host as it is" },
		{ "    runner: {type: process, mounts: [\"/a:/b\"]}\n", "sees the host as it is" },
		{ "    runner: {folder: games}\n", "not an absolute path" },
		{ "    runner: {env: [\"1 A=2\"]}\n", "not NAME=VALUE" },
		{ "    runner: {mounts: [\"/a\"]}\n", "not HOST:INSIDE" },
		{ "    runner: {mounts: [\"/a:/b:rx\"]}\n", "not HOST:INSIDE" },
		{ "    privileges: normal\n    runner: {type: sandbox}\n", "contradict" },
		{ "    runner: {colour: red}\n", "there is no key \"colour\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct config config;
		struct config_text error;
		assert_int_equal(read_app(wrong[i][0], &config, &error), -EINVAL);
		if (!strstr(error.text, wrong[i][1])) {
			fail_msg("%s: %s", wrong[i][0], error.text);
		}
		config_finish(&config);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_runner_is_read_whole),
		UNIT(without_one_the_host_decides),
		UNIT(what_does_not_fit_together_is_refused_with_the_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
