/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "ipc/reason.h"
#include "supervisor/child.h"
#include "supervisor/threads.h"

enum {
	WAIT_MS = 10000, /* until the test gives up */
};

struct rig {
	struct nursery nursery;
	struct journal journal;
	struct child *child;
	struct child_end end;
	int ended, gone;
	char state; /* of the process when its owner heard of the end */
	uint64_t asked_ns, ended_ns;
	char folder[200];      /* of perigee-exec */
	char driver[PATH_MAX]; /* a program that sits in the kernel */
};

static char state_of(pid_t pid) {
	char path[40], text[512] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *file = fopen(path, "re");
	if (!file) {
		return '-';
	}
	size_t len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	const char *end = strrchr(text, ')');
	return end ? end[2] : '?';
}

static void handle_ended(struct child *child, const struct child_end *end) {
	struct rig *rig = (struct rig *)child->user;
	rig->end = *end;
	rig->ended++;
	rig->state = state_of(child->pid);
	rig->ended_ns = clock_now_ns();
	rig->child = NULL;
}

static const struct child_owner owner = { .ended = handle_ended };

static void handle_gone(void *user) {
	((struct rig *)user)->gone++;
}

/* Runs the loop until *counter is more than `than`. */
static void run_until(struct rig *rig, const int *counter, int than) {
	uint64_t end_ms = clock_now_ms() + WAIT_MS;
	while (*counter <= than) {
		assert_true(clock_now_ms() < end_ms);
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
}

static void spawn(struct rig *rig, const char *script) {
	struct child_spec spec = {
		.kind = PEER_SOUND,
		.program = "/bin/sh",
		.args = { "-c", script, NULL },
		.name = "sick",
		.no_channel = true,
		.die_with_us = true,
	};
	assert_int_equal(child_spawn(&rig->nursery, &spec, &owner, rig, &rig->child), 0);
}

/* Until perigee-exec has become the shell and the shell has said a line. */
static void wait_for_line(struct rig *rig, const struct child *child) {
	uint64_t end_ms = clock_now_ms() + WAIT_MS;
	while (child->reader.window_ms == 0) {
		assert_true(clock_now_ms() < end_ms);
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
}

static void fence(struct rig *rig, const char *script) {
	spawn(rig, script);
	wait_for_line(rig, rig->child);
	rig->asked_ns = clock_now_ns();
	child_fence(rig->child, REASON_WORKER_HUNG, "a test says so");
	assert_int_equal(rig->ended, 0);
	run_until(rig, &rig->ended, 0);
	assert_true(rig->end.fenced);
	assert_int_equal(rig->end.reason, REASON_WORKER_HUNG);
	assert_false(rig->end.expected);
	assert_string_equal(rig->end.detail, "a test says so");
}

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	char **argv = (char **)*state;
	snprintf(rig->folder, sizeof(rig->folder), "%s", argv[1]);
	*strrchr(rig->folder, '/') = '\0';
	assert_non_null(realpath(argv[2], rig->driver));
	rig->journal.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	rig->nursery.journal = &rig->journal;
	rig->nursery.libexec = rig->folder;
	rig->nursery.corpse_gone = handle_gone;
	rig->nursery.user = rig;
	assert_true(sd_event_new(&rig->nursery.event) >= 0);
	*state = rig;
	return 0;
}

static void the_owner_may_go_on_before_the_corpse_is_gone(void **state) {
	struct rig *rig = (struct rig *)*state;
	fence(rig, "echo here; exec sleep 100");
	assert_false(rig->end.written_off);
	assert_int_equal(rig->state, 'T');
	assert_int_equal(rig->nursery.count, 0);
	run_until(rig, &rig->gone, 0);
	assert_null(rig->nursery.corpses);
	assert_int_equal(rig->nursery.corpses_count, 0);
	assert_int_equal(rig->nursery.fenced, 1);
	assert_int_equal(rig->nursery.lost, 1);
}

static void one_that_spins_is_stopped(void **state) {
	struct rig *rig = (struct rig *)*state;
	fence(rig, "echo here; while :; do :; done");
	assert_false(rig->end.written_off);
	assert_int_equal(rig->state, 'T');
	run_until(rig, &rig->gone, 0);
}

static void one_that_ignores_signals_is_stopped(void **state) {
	struct rig *rig = (struct rig *)*state;
	fence(rig, "trap '' TERM INT HUP TSTP; echo here; while :; do sleep 100; done");
	assert_false(rig->end.written_off);
	assert_int_equal(rig->state, 'T');
	run_until(rig, &rig->gone, 0);
}

static void one_that_is_stopped_already_is_fenced_all_the_same(void **state) {
	struct rig *rig = (struct rig *)*state;
	fence(rig, "echo here; kill -STOP $$");
	assert_false(rig->end.written_off);
	run_until(rig, &rig->gone, 0);
}

static int send_nothing(pid_t pid, int number) {
	(void)pid;
	(void)number;
	return 0;
}

static bool never_stops(pid_t pid) {
	(void)pid;
	return false;
}

static const struct fence_hands driver = { .send = send_nothing, .is_stopped = never_stops };

static void one_that_sits_in_a_driver_is_written_off_and_awaited_by_nobody(void **state) {
	struct rig *rig = (struct rig *)*state;
	rig->nursery.hands = &driver;
	fence(rig, "echo here; exec sleep 100");
	assert_true(rig->end.written_off);
	assert_true(rig->ended_ns - rig->asked_ns >= FENCE_STOP_MS * NS_PER_MS);
	assert_int_equal(rig->nursery.corpses_count, 0);
	assert_int_equal(rig->nursery.written_off, 1);
	assert_non_null(rig->nursery.corpses);
	/* When the driver lets go of it after all, it is reaped like any other. */
	kill(rig->nursery.corpses->pid, SIGKILL);
	run_until(rig, &rig->gone, 0);
	assert_null(rig->nursery.corpses);
}

static void one_that_really_sits_in_the_kernel_is_written_off(void **state) {
	struct rig *rig = (struct rig *)*state;
	char script[PATH_MAX + 8];
	snprintf(script, sizeof(script), "exec %s", rig->driver);
	fence(rig, script);
	assert_true(rig->end.written_off);
	assert_int_equal(rig->state, 'D');
	assert_true(rig->ended_ns - rig->asked_ns >= FENCE_STOP_MS * NS_PER_MS);
	run_until(rig, &rig->gone, 0); /* this one SIGKILL does end */
}

static void one_that_does_not_go_after_a_kill_is_written_off(void **state) {
	struct rig *rig = (struct rig *)*state;
	rig->nursery.hands = &driver;
	spawn(rig, "echo here; exec sleep 100");
	rig->asked_ns = clock_now_ns();
	child_kill(rig->child, REASON_ASKED, "the session ends");
	run_until(rig, &rig->ended, 0);
	assert_true(rig->end.written_off);
	assert_true(rig->ended_ns - rig->asked_ns >= FENCE_GONE_MS * NS_PER_MS);
	kill(rig->nursery.corpses->pid, SIGKILL);
	run_until(rig, &rig->gone, 0);
}

static void one_that_dies_by_itself_is_reaped_as_ever(void **state) {
	struct rig *rig = (struct rig *)*state;
	spawn(rig, "kill -SEGV $$");
	run_until(rig, &rig->ended, 0);
	assert_false(rig->end.fenced);
	assert_false(rig->end.expected);
	assert_int_equal(rig->end.reason, REASON_SOUND_DIED);
	assert_int_equal(rig->end.status, SIGSEGV);
	assert_null(rig->nursery.corpses);
}

static void spawn_silent(struct rig *rig, const char *script) {
	struct child_spec spec = {
		.kind = PEER_ENCODER,
		.program = "/bin/sh",
		.args = { "-c", script, NULL },
		.name = "silent",
		.die_with_us = true,
	};
	rig->nursery.hello_ms = 300;
	rig->asked_ns = clock_now_ns();
	assert_int_equal(child_spawn(&rig->nursery, &spec, &owner, rig, &rig->child), 0);
}

static void assert_said_no_hello(const struct rig *rig) {
	assert_true(rig->end.fenced);
	assert_int_equal(rig->end.reason, REASON_START_OVERDUE);
	assert_string_equal(rig->end.detail, "said no hello in time");
}

static void one_that_says_no_hello_is_fenced(void **state) {
	struct rig *rig = (struct rig *)*state;
	spawn_silent(rig, "exec sleep 100");
	run_until(rig, &rig->ended, 0);
	assert_said_no_hello(rig);
	assert_true(rig->ended_ns - rig->asked_ns >= 280 * NS_PER_MS);
	run_until(rig, &rig->gone, 0);
}

/* Runnable all the time, and never scheduled. */
static int look_starved(pid_t pid, struct threads *out) {
	(void)pid;
	*out = (struct threads){ .count = 1, .timed = true, .runnable = true };
	return 0;
}

static void one_that_gets_no_processor_has_longer_to_say_hello(void **state) {
	static const struct fence_hands starved = { .look = look_starved };
	struct rig *rig = (struct rig *)*state;
	rig->nursery.hands = &starved;
	spawn_silent(rig, "exec sleep 100");
	uint64_t end_ns = rig->asked_ns + 900 * NS_PER_MS;
	while (clock_now_ns() < end_ns) {
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
	assert_int_equal(rig->ended, 0);
	rig->nursery.hands = NULL; /* it gets one */
	run_until(rig, &rig->ended, 0);
	assert_said_no_hello(rig);
	run_until(rig, &rig->gone, 0);
}

/* Its channel closes, which starts one deadline, and then it is asked to stop, which starts
 * another: neither may outlive it, for whoever is spawned next may lie where it lay. */
static void no_deadline_of_one_that_is_gone_strikes_the_next(void **state) {
	struct rig *rig = (struct rig *)*state;
	struct child_spec spec = {
		.kind = PEER_ENCODER,
		.program = "/bin/sh",
		.args = { "-c", "exec 3>&-; exec sleep 100", NULL },
		.name = "first",
		.die_with_us = true,
	};
	assert_int_equal(child_spawn(&rig->nursery, &spec, &owner, rig, &rig->child), 0);
	uint64_t end_ms = clock_now_ms() + WAIT_MS;
	while (!rig->child->ending.timer) {
		assert_true(clock_now_ms() < end_ms);
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
	uint64_t struck_ms = clock_now_ms() + 600; /* it has 500 after its channel closed */
	child_stop(rig->child, REASON_ASKED, 1000);
	run_until(rig, &rig->ended, 0);
	assert_true(rig->end.expected);
	spawn(rig, "echo here; exec sleep 100");
	while (clock_now_ms() < struck_ms) {
		assert_true(sd_event_run(rig->nursery.event, 100000) >= 0);
	}
	assert_int_equal(rig->ended, 1);
	assert_int_equal(rig->nursery.fenced, 0);
	child_kill(rig->child, REASON_ASKED, "the test ends");
	run_until(rig, &rig->ended, 1);
}

static void at_the_end_nobody_is_kept(void **state) {
	struct rig *rig = (struct rig *)*state;
	nursery_bury(&rig->nursery);
	spawn(rig, "echo here; exec sleep 100");
	child_fence(rig->child, REASON_WORKER_HUNG, "late");
	run_until(rig, &rig->ended, 0);
	assert_false(rig->end.fenced);
	assert_int_equal(rig->end.status, SIGKILL);
	assert_int_equal(rig->nursery.count, 0);
}

static int teardown(void **state) {
	struct rig *rig = (struct rig *)*state;
	int left = rig->nursery.count + (rig->nursery.corpses != NULL);
	sd_event_unref(rig->nursery.event);
	close(rig->journal.fd);
	free(rig);
	return left;
}

#define FENCE_TEST(test) \
	{ #test, test, setup, teardown, argv }

int main(int argc, char **argv) {
	assert_int_equal(argc, 3);
	const struct CMUnitTest tests[] = {
		FENCE_TEST(the_owner_may_go_on_before_the_corpse_is_gone),
		FENCE_TEST(one_that_spins_is_stopped),
		FENCE_TEST(one_that_ignores_signals_is_stopped),
		FENCE_TEST(one_that_is_stopped_already_is_fenced_all_the_same),
		FENCE_TEST(one_that_sits_in_a_driver_is_written_off_and_awaited_by_nobody),
		FENCE_TEST(one_that_really_sits_in_the_kernel_is_written_off),
		FENCE_TEST(one_that_does_not_go_after_a_kill_is_written_off),
		FENCE_TEST(one_that_dies_by_itself_is_reaped_as_ever),
		FENCE_TEST(one_that_says_no_hello_is_fenced),
		FENCE_TEST(one_that_gets_no_processor_has_longer_to_say_hello),
		FENCE_TEST(no_deadline_of_one_that_is_gone_strikes_the_next),
		FENCE_TEST(at_the_end_nobody_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
