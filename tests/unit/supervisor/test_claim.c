/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/claim.h"

static int setup(void **state) {
	static char folder[] = "/tmp/perigee-claim.XXXXXX";
	*state = mkdtemp(folder);
	return *state ? 0 : -1;
}

static int teardown(void **state) {
	return rmdir(*state);
}

static void a_folder_is_one_s_until_that_one_lets_go(void **state) {
	struct config_text error = { "" };
	int fd = -1, other = -1;
	assert_int_equal(claim_state(*state, -1, &fd, &error), 0);
	assert_true(fd >= 0);
	assert_int_equal(claim_state(*state, -1, &other, &error), -EADDRINUSE);
	assert_int_equal(other, -1);
	assert_non_null(strstr(error.text, *state));
	assert_non_null(strstr(error.text, "--state"));
	fd_close(fd);
	assert_int_equal(claim_state(*state, -1, &fd, &error), 0);
	fd_close(fd);
}

static void whoever_dies_lets_go(void **state) {
	struct config_text error;
	int pipe_fds[2], fd = -1;
	char byte;
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)!(claim_state(*state, -1, &fd, &error) == 0 && write(pipe_fds[1], "x", 1));
		pause();
	}
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	assert_int_equal(claim_state(*state, -1, &fd, &error), -EADDRINUSE);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(claim_state(*state, -1, &fd, &error), 0);
	fd_close(fd);
	fd_close(pipe_fds[0]);
	fd_close(pipe_fds[1]);
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		UNIT(a_folder_is_one_s_until_that_one_lets_go),
		UNIT(whoever_dies_lets_go),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
