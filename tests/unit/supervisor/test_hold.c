/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"
#include "hold_puppet.h"

/* The holder starts this very program again as its perigeed: a puppet. */

static const char *hold_path;
static char folder[64];

struct bench {
	int listener, control, notify;
	pid_t hold;
	int puppet_pid;
};

static void receive(int fd, char *out, size_t size) {
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, HOLD_PUPPET_MS), 1);
	ssize_t n = recv(fd, out, size - 1, 0);
	assert_true(n > 0);
	out[n] = '\0';
}

static void expect(struct bench *bench, const char *text) {
	char got[128];
	receive(bench->control, got, sizeof(got));
	assert_string_equal(got, text);
}

static void meet_puppet(struct bench *bench) {
	fd_close(bench->control);
	struct pollfd wait = { .fd = bench->listener, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, HOLD_PUPPET_MS), 1);
	bench->control = accept(bench->listener, NULL, NULL);
	char got[128];
	receive(bench->control, got, sizeof(got));
	assert_memory_equal(got, "hello ", 6);
	bench->puppet_pid = (int)strtol(got + 6, NULL, 10);
}

static int listen_at(const char *path, int type) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_copy(address.sun_path, sizeof(address.sun_path), path);
	unlink(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void start_bench(struct bench *bench) {
	char control[96], notify[96];
	text_format(control, sizeof(control), "%s/control", folder);
	text_format(notify, sizeof(notify), "%s/notify", folder);
	*bench = (struct bench){ .control = -1 };
	bench->listener = listen_at(control, SOCK_SEQPACKET);
	assert_int_equal(listen(bench->listener, 4), 0);
	bench->notify = listen_at(notify, SOCK_DGRAM);
	bench->hold = fork();
	if (bench->hold == 0) {
		setenv("NOTIFY_SOCKET", notify, 1);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		execl(hold_path, "perigee-hold", "--libexec", folder, "--control", control, NULL);
		_exit(99);
	}
	meet_puppet(bench);
	expect(bench, "end");
}

static void command(struct bench *bench, const char *text) {
	assert_int_equal(send(bench->control, text, strlen(text), MSG_NOSIGNAL),
			(ssize_t)strlen(text));
}

/* The exit status of the holder. */
static int finish_bench(struct bench *bench) {
	int status;
	assert_int_equal(waitpid(bench->hold, &status, 0), bench->hold);
	close(bench->listener);
	close(bench->control);
	close(bench->notify);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void quitting_ends_with_the_code_asked_for(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "quit 42");
	assert_int_equal(finish_bench(&bench), 42);
}

static void readiness_is_passed_on(void **state) {
	(void)state;
	struct bench bench;
	char text[64];
	start_bench(&bench);
	command(&bench, "ready");
	receive(bench.notify, text, sizeof(text));
	assert_string_equal(text, "READY=1");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void a_new_perigeed_gets_the_descriptors(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "put b");
	command(&bench, "put c");
	command(&bench, "put a");
	command(&bench, "drop b");
	command(&bench, "die");
	meet_puppet(&bench);
	expect(&bench, "fd a");
	expect(&bench, "fd c");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void names_are_dropped_by_their_beginning(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put c1.pid");
	command(&bench, "put c1.channel");
	command(&bench, "put c12.pid");
	command(&bench, "put c2.pid");
	command(&bench, "drop c1.");
	command(&bench, "die");
	meet_puppet(&bench);
	expect(&bench, "fd c12.pid");
	expect(&bench, "fd c2.pid");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void another_version_takes_over(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "ready");
	command(&bench, "upgrade 2");
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "ready");
	command(&bench, "die"); /* from now on it is what is started again */
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void one_that_is_not_ready_in_time_is_taken_back(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "ready");
	command(&bench, "upgrade 2");
	meet_puppet(&bench);
	expect(&bench, "version 2 failed 0: ");
	expect(&bench, "end");
	/* A puppet whose strings are cut ends; this one is to be late. */
	OWN(fd_close) int strings = TAKE(bench.control, -1);
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 2: it was not ready within 2000 ms");
	expect(&bench, "end");
	command(&bench, "upgrade 3");
	meet_puppet(&bench);
	expect(&bench, "version 3 failed 0: ");
	expect(&bench, "end");
	command(&bench, "exit");
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 3: it exited with status 5 before it was ready");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* What was put there is a memfd without a program in it. */
static void one_that_cannot_be_executed_is_taken_back(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put v7.perigeed");
	command(&bench, "upgrade 7");
	meet_puppet(&bench);
	expect(&bench, "version 1 failed 7: it could not be executed");
	expect(&bench, "fd v7.perigeed");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* Only whoever has answered once is expected to answer again so soon. */
static void a_perigeed_that_hangs_is_replaced(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "put a");
	command(&bench, "ask");
	expect(&bench, "asked");
	uint64_t begun_ms = clock_now_ms();
	command(&bench, "stop");
	meet_puppet(&bench);
	assert_true(clock_now_ms() - begun_ms > 2000);
	assert_true(clock_now_ms() - begun_ms < 10000);
	expect(&bench, "fd a");
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

/* Whoever waits for the end of what the holder keeps must not wait for ever. */
static void what_is_held_is_let_go_before_the_children_end(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "pipe");
	command(&bench, "quit 0");
	expect(&bench, "ended");
	assert_int_equal(finish_bench(&bench), 0);
}

/* More than a channel's queue and the kernel's buffer take at once. */
static void a_thousand_descriptors_are_kept(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "puts 1000");
	expect(&bench, "done");
	command(&bench, "die");
	meet_puppet(&bench);
	for (int i = 0; i < 1000; i++) {
		char name[32];
		text_format(name, sizeof(name), "fd n%d", i);
		expect(&bench, name);
	}
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static int start_orphan(struct bench *bench) {
	char text[64];
	command(bench, "orphan");
	receive(bench->control, text, sizeof(text));
	assert_memory_equal(text, "orphan ", 7);
	return (int)strtol(text + 7, NULL, 10);
}

static void exits_of_orphans_are_reported(void **state) {
	(void)state;
	struct bench bench;
	char text[64];
	start_bench(&bench);
	int pid = start_orphan(&bench);
	kill(pid, SIGKILL);
	text_format(text, sizeof(text), "exited %d 9", pid);
	expect(&bench, text);
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void nobody_is_left_behind(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	int pid = start_orphan(&bench);
	assert_int_equal(kill(pid, 0), 0);
	command(&bench, "quit 3");
	assert_int_equal(finish_bench(&bench), 3);
	assert_int_equal(kill(pid, 0), -1);
}

static void a_signal_is_passed_on_and_ends_all(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	int pid = start_orphan(&bench);
	kill(bench.hold, SIGINT);
	finish_bench(&bench);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(kill(bench.puppet_pid, 0), -1);
}

static void an_exit_before_readiness_is_final(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "exit");
	assert_int_equal(finish_bench(&bench), 5);
}

static void an_exit_after_readiness_is_repaired(void **state) {
	(void)state;
	struct bench bench;
	start_bench(&bench);
	command(&bench, "ready");
	command(&bench, "exit");
	meet_puppet(&bench);
	expect(&bench, "end");
	command(&bench, "quit 0");
	assert_int_equal(finish_bench(&bench), 0);
}

static void a_missing_perigeed_is_said(void **state) {
	(void)state;
	char command_text[256], link[96];
	text_format(link, sizeof(link), "%s/perigeed", folder);
	unlink(link);
	text_format(command_text, sizeof(command_text), "cp %s %s/alone; %s/alone 2>&1", hold_path,
			folder, folder);
	FILE *file = popen(command_text, "r");
	char line[256] = "";
	assert_non_null(fgets(line, sizeof(line), file));
	assert_int_equal(WEXITSTATUS(pclose(file)), 127);
	assert_non_null(strstr(line, "perigeed-missing"));
}

static int prepare(void **state) {
	(void)state;
	char self[512], link[96];
	text_copy(folder, sizeof(folder), "/tmp/perigee-hold-XXXXXX");
	assert_non_null(mkdtemp(folder));
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0);
	self[n] = '\0';
	text_format(link, sizeof(link), "%s/perigeed", folder);
	return symlink(self, link);
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

int main(int argc, char **argv) {
	if (strcmp(argv[0], "perigeed") == 0) {
		return hold_puppet(argc, argv);
	}
	const struct CMUnitTest tests[] = {
		UNIT(quitting_ends_with_the_code_asked_for),
		UNIT(readiness_is_passed_on),
		UNIT(a_new_perigeed_gets_the_descriptors),
		UNIT(names_are_dropped_by_their_beginning),
		UNIT(another_version_takes_over),
		UNIT(one_that_is_not_ready_in_time_is_taken_back),
		UNIT(one_that_cannot_be_executed_is_taken_back),
		UNIT(a_perigeed_that_hangs_is_replaced),
		UNIT(what_is_held_is_let_go_before_the_children_end),
		UNIT(a_thousand_descriptors_are_kept),
		UNIT(exits_of_orphans_are_reported),
		UNIT(nobody_is_left_behind),
		UNIT(a_signal_is_passed_on_and_ends_all),
		UNIT(an_exit_before_readiness_is_final),
		UNIT(an_exit_after_readiness_is_repaired),
		UNIT(a_missing_perigeed_is_said),
	};
	assert_int_equal(argc, 2);
	hold_path = argv[1];
	return cmocka_run_group_tests(tests, prepare, clean);
}
