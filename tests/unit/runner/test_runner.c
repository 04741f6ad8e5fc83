/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "base/text.h"
#include "place.h"

static void an_app_runs_in_its_home_and_ends(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "echo $HOME $PERIGEE_SESSION $LEAK; pwd >&2; exit 3");
	assert_true(place.detail.runner_app.pid > 1);
	place_receive_end(&runner);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 3);
	char wanted[256];
	text_format(wanted, sizeof(wanted), "%s %s\n%s\n", place.home, place.label, place.home);
	assert_string_equal(runner.message.runner_exited.last_lines, wanted);
	process_stop(&runner);
}

/* The supervisor was told and did not say yes yet; then both forget it. */
static void an_app_that_nobody_will_find_never_begins(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_send_start(&runner, (const char *const[]){ "sh", "-c", "echo begun >fifo", NULL }, 0);
	int gate = place_receive_gate(&runner);
	OWN(fd_close) int app = TAKE(runner.fds.fd[0], -1);
	struct pollfd wait = { .fd = app, .events = POLLIN };
	kill(runner.pid, SIGKILL);
	process_wait(&runner);
	assert_int_equal(poll(&wait, 1, 0), 0); /* we might still find it */
	close(gate);
	place_await_end(app);
	wait = (struct pollfd){ .fd = place.fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 0), 0);
}

/* It dies before anybody heard of its app: nobody has a hand on the gate any more. */
static void an_app_whose_runner_dies_untold_never_begins(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_send_start(&runner, (const char *const[]){ "sh", "-c", "echo begun >fifo", NULL }, 0);
	struct pollfd wait = { .fd = runner.channel, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, PROCESS_DEADLINE_MS), 1); /* said, and not heard */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	kill(runner.pid, SIGKILL);
	process_wait(&runner);
	int status = -1;
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	assert_int_equal(status, W_EXITCODE(125, 0));
	wait = (struct pollfd){ .fd = place.fifo, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 0), 0);
}

static void a_missing_program_is_named(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_send_start(&runner, (const char *const[]){ "perigee-no-such-game", NULL }, 0);
	place_receive_end(&runner);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 127);
	assert_string_equal(runner.message.runner_exited.last_lines,
			"not installed: perigee-no-such-game");
	place_send_start(&runner, (const char *const[]){ "/opt/no/game", NULL }, 0);
	place_receive_end(&runner);
	assert_string_equal(runner.message.runner_exited.last_lines, "not installed: /opt/no/game");
	process_stop(&runner);
}

static void stopping_ends_the_whole_tree(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner,
			"trap 'exit 0' TERM; sh -c 'echo $$ >fifo; while :; do sleep 1000; done' & "
			"wait");
	int pid = place_hear_pid();
	process_ask_stop(&runner, 10000);
	place_receive_end(&runner);
	assert_int_equal(kill(pid, 0), -1);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void who_ignores_the_request_is_killed(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "trap '' TERM; echo $$ >fifo; while :; do sleep 1000; done");
	int pid = place_hear_pid();
	process_ask_stop(&runner, 1000);
	place_receive_end(&runner);
	assert_true(WIFSIGNALED(runner.message.runner_exited.status));
	assert_int_equal(WTERMSIG(runner.message.runner_exited.status), SIGKILL);
	assert_int_equal(kill(pid, 0), -1);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void a_stopped_app_is_killed_too(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "echo $$ >fifo; kill -STOP $$; :");
	place_hear_pid();
	process_ask_stop(&runner, 1000);
	place_receive_end(&runner);
	process_receive(&runner, IPC_STOPPED);
	assert_int_equal(process_wait(&runner), 0);
}

static void daemons_of_an_app_end_with_it(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner,
			"setsid sh -c 'trap \"\" TERM; echo $$ >fifo; "
			"while :; do sleep 1000; done' >/dev/null 2>&1 & read x <fifo2; exit 0");
	int pid = place_hear_pid();
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", place.home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	place_receive_end(&runner);
	assert_int_equal(runner.message.runner_exited.status, 0);
	assert_int_equal(kill(pid, 0), -1);
	process_stop(&runner);
}

static void an_app_of_another_user_has_its_own_home(void **state) {
	(void)state;
	if (getuid() != 0) {
		SKIP("root");
	}
	struct process runner = place_start_runner();
	char other[112];
	text_format(other, sizeof(other), "%s/homes/other", place.folder);
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	message.runner_start.uid = message.runner_start.gid = 65534;
	text_copy(message.runner_start.home, sizeof(message.runner_start.home), other);
	const char *const argv[] = { "sh", "-c", "id -u; touch here && ls; ls ../app" };
	for (size_t i = 0; i < ARRAY_LEN(argv); i++) {
		place_put_word((uint8_t *)message.runner_start.argv, &message.runner_start.argv_len,
				argv[i]);
	}
	process_send(&runner, &message, -1);
	process_receive(&runner, IPC_RUNNER_APP);
	assert_non_null(strstr(runner.message.runner_app.detail, "user 65534"));
	place_receive_end(&runner);
	assert_memory_equal(runner.message.runner_exited.last_lines, "65534\nhere\n", 11);
	assert_non_null(strstr(runner.message.runner_exited.last_lines, "Permission denied"));
	process_stop(&runner);
}

static void other_homes_are_closed(void **state) {
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
		SKIP("Landlock in this kernel");
	}
	struct process runner = place_start_runner();
	place_run_script(&runner,
			"cat ../secret/f 2>/dev/null || echo closed; touch mine && echo mine; "
			"touch ../new 2>/dev/null || echo outside");
	assert_non_null(strstr(place.detail.runner_app.detail, "Landlock"));
	place_receive_end(&runner);
	assert_string_equal(runner.message.runner_exited.last_lines, "closed\nmine\noutside\n");
	process_stop(&runner);
}

static void an_app_ends_with_the_supervisor(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "exec 4>fifo; echo $$ >&4; while :; do sleep 1000; done");
	int pid = place_hear_pid();
	close(runner.channel);
	runner.channel = -1;
	assert_int_equal(WEXITSTATUS(process_wait(&runner)), 0);
	/* We are no subreaper: it may be a zombie of init's for a moment. */
	for (int i = 0; i < PROCESS_DEADLINE_MS && kill(pid, 0) == 0; i++) {
		char path[64], line[256] = "";
		text_format(path, sizeof(path), "/proc/%d/stat", pid);
		OWN(file_close) FILE *file = fopen(path, "re");
		if (!file || !fgets(line, sizeof(line), file) || strstr(line, ") Z ")) {
			break;
		}
		struct pollfd wait = { .fd = -1 };
		poll(&wait, 1, 1);
		assert_true(i < PROCESS_DEADLINE_MS - 1);
	}
}

static void an_app_outlives_its_runner_and_is_watched_by_the_next(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "echo $$ >fifo; read x <fifo2; echo last words; exit 3");
	int pid = place_hear_pid();
	struct process next = place_replace_runner(&runner);
	assert_int_equal(kill(pid, 0), 0);
	char path[128];
	text_format(path, sizeof(path), "%s/fifo2", place.home);
	OWN(fd_close) int go = open(path, O_RDWR);
	assert_int_equal(write(go, "go\n", 3), 3);
	place_receive_end(&next);
	assert_int_equal(next.message.runner_exited.status, RUNNER_STATUS_UNKNOWN);
	assert_string_equal(next.message.runner_exited.last_lines, "last words\n");
	process_stop(&next);
}

static void an_adopted_app_ends_with_all_that_it_started(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	place_run_script(&runner, "setsid sh -c 'trap \"\" TERM; echo $$ >fifo; "
				  "while :; do sleep 1000; done' >/dev/null 2>&1 & wait");
	int pid = place_hear_pid();
	struct process next = place_replace_runner(&runner);
	process_ask_stop(&next, 4000);
	place_receive_end(&next);
	process_receive(&next, IPC_STOPPED);
	assert_int_equal(process_wait(&next), 0);
	char path[64];
	text_format(path, sizeof(path), "/proc/%d/cmdline", pid);
	OWN(file_close) FILE *file = fopen(path, "re");
	assert_true(!file || fgetc(file) == EOF); /* nobody may have reaped it yet */
}

static void an_unwieldy_start_is_refused(void **state) {
	(void)state;
	struct process runner = place_start_runner();
	struct ipc_message message = { .kind = IPC_RUNNER_START };
	memcpy(message.runner_start.argv, "no end", 6);
	message.runner_start.argv_len = 6;
	process_send(&runner, &message, -1);
	place_receive_end(&runner);
	assert_int_equal(WEXITSTATUS(runner.message.runner_exited.status), 126);
	process_stop(&runner);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(an_app_runs_in_its_home_and_ends),
		UNIT(an_app_that_nobody_will_find_never_begins),
		UNIT(an_app_whose_runner_dies_untold_never_begins),
		UNIT(a_missing_program_is_named),
		UNIT(stopping_ends_the_whole_tree),
		UNIT(who_ignores_the_request_is_killed),
		UNIT(a_stopped_app_is_killed_too),
		UNIT(daemons_of_an_app_end_with_it),
		UNIT(an_app_of_another_user_has_its_own_home),
		UNIT(other_homes_are_closed),
		UNIT(an_app_ends_with_the_supervisor),
		UNIT(an_app_outlives_its_runner_and_is_watched_by_the_next),
		UNIT(an_adopted_app_ends_with_all_that_it_started),
		UNIT(an_unwieldy_start_is_refused),
	};
	assert_int_equal(argc, 2);
	place.runner_path = argv[1];
	setenv("LEAK", "leaked", 1);
	return cmocka_run_group_tests(tests, place_prepare, place_clean);
}
