/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/processes.h"
#include "base/text.h"

enum {
	WAIT_MS = 10000,
};

/* A process that stands still and was started with this in its environment. */
static pid_t start(const char *variable) {
	int ready[2];
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const char *const argv[] = { "sh", "-c", "echo >&3; kill -STOP $$", NULL };
		const char *const env[] = { "PATH=/usr/bin:/bin", variable, NULL };
		dup2(ready[1], 3);
		execve("/bin/sh", (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
		_exit(99);
	}
	assert_true(pid > 0);
	char byte;
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void who_has_the_variable_is_ended_and_nobody_else(void **state) {
	(void)state;
	char mine[64], longer[64];
	text_format(mine, sizeof(mine), "PERIGEE_TEST=%d", getpid());
	text_format(longer, sizeof(longer), "PERIGEE_TEST=%d0", getpid());
	pid_t first = start(mine), other = start(longer), second = start(mine);
	assert_true(process_has_variable(first, mine));
	assert_false(process_has_variable(other, mine));
	assert_int_equal(processes_signal(mine, 0), 2);
	assert_int_equal(processes_end(mine, WAIT_MS), 2);
	/* They are gone, not only told to. */
	int status;
	assert_int_equal(waitpid(first, &status, WNOHANG), first);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(waitpid(second, &status, WNOHANG), second);
	assert_int_equal(processes_end(mine, WAIT_MS), 0);
	assert_int_equal(processes_end(longer, WAIT_MS), 1);
	assert_int_equal(waitpid(other, &status, WNOHANG), other);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(who_has_the_variable_is_ended_and_nobody_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
