/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/pulse.h"
#include "supervisor/judge.h"

/* A worker and a machine of paper: what happens in each round is said, then judged. */
struct paper {
	struct judge judge;
	struct judge_view view;
	uint64_t elapsed_ms; /* since the fault began */
	unsigned pokes;
};

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

enum {
	ROUND_MS = 101, /* the timer is never early */
	LOOP_MS = 500,
};

static struct paper healthy(void) {
	struct paper paper = { .view = { .now_ns = 1000 * NS_PER_S, .beats = 1 } };
	for (int i = 0; i < 5; i++) {
		paper.view.now_ns += ROUND_MS * NS_PER_MS;
		paper.view.beats += 7;
		assert_int_equal(judge_step(&paper.judge, &paper.view, JUDGE_DEAF_QUICK_MS),
				JUDGE_WELL);
	}
	return paper;
}

static void begin_operation(struct paper *paper, uint64_t limit_ms) {
	paper->view.begin_ns = paper->view.now_ns;
	paper->view.deadline_ns = paper->view.begin_ns + limit_ms * NS_PER_MS;
}

/* One round of which the worker ran and waited so much. */
static enum judge_verdict step(struct paper *paper, uint64_t round_ms, uint64_t run_ms,
		uint64_t wait_ms, uint32_t deaf_ms) {
	paper->elapsed_ms += round_ms;
	paper->view.now_ns += round_ms * NS_PER_MS;
	paper->view.run_ns += run_ms * NS_PER_MS;
	paper->view.wait_ns += wait_ms * NS_PER_MS;
	paper->view.sampled = judge_wants_sample(&paper->judge, &paper->view);
	enum judge_verdict verdict = judge_step(&paper->judge, &paper->view, deaf_ms);
	paper->pokes += verdict == JUDGE_POKE;
	return verdict;
}

/* Rounds alike until something other than a poke is said, for limit_ms at most. */
static enum judge_verdict until(struct paper *paper, uint64_t limit_ms, uint64_t run_ms,
		uint64_t wait_ms, uint32_t deaf_ms) {
	enum judge_verdict verdict = JUDGE_WELL;
	while ((verdict == JUDGE_WELL || verdict == JUDGE_POKE) && paper->elapsed_ms < limit_ms) {
		verdict = step(paper, ROUND_MS, run_ms, wait_ms, deaf_ms);
	}
	return verdict;
}

static void stopped_while_it_waits(void **state) {
	(void)state;
	struct paper quick = healthy(), desktop = healthy(), slow = healthy();
	assert_int_equal(until(&quick, 5000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_DEAF);
	assert_true(quick.elapsed_ms <= 1000);
	assert_int_equal(quick.pokes, 1);
	assert_int_equal(until(&desktop, 5000, 0, 0, JUDGE_DEAF_DESKTOP_MS), JUDGE_DEAF);
	assert_true(desktop.elapsed_ms <= 1100);
	assert_int_equal(until(&slow, 5000, 0, 0, JUDGE_DEAF_MS), JUDGE_DEAF);
	assert_true(slow.elapsed_ms <= 2000);
}

static void stopped_or_blocked_in_an_operation(void **state) {
	(void)state;
	struct paper paper = healthy();
	begin_operation(&paper, LOOP_MS);
	assert_int_equal(until(&paper, 5000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_OVERDUE);
	assert_true(paper.elapsed_ms > LOOP_MS && paper.elapsed_ms <= 1000);
}

static void spinning_within_its_loop(void **state) {
	(void)state;
	struct paper paper = healthy();
	begin_operation(&paper, LOOP_MS);
	paper.view.runnable = true;
	assert_int_equal(until(&paper, 5000, ROUND_MS, 0, JUDGE_DEAF_QUICK_MS), JUDGE_OVERDUE);
	assert_true(paper.elapsed_ms <= 1000);
}

static void spinning_on_a_third_of_a_processor_needs_thrice_as_long(void **state) {
	(void)state;
	struct paper paper = healthy();
	begin_operation(&paper, LOOP_MS);
	paper.view.runnable = true;
	assert_int_equal(until(&paper, 9000, 34, 67, JUDGE_DEAF_QUICK_MS), JUDGE_OVERDUE);
	assert_true(paper.elapsed_ms > 3 * LOOP_MS && paper.elapsed_ms < 4 * LOOP_MS);
}

static void alive_without_progress(void **state) {
	(void)state;
	struct paper paper = healthy();
	enum judge_verdict verdict = JUDGE_WELL;
	while (verdict != JUDGE_DEAF && paper.elapsed_ms < 9000) {
		paper.view.beats += 100;
		begin_operation(&paper, LOOP_MS);
		verdict = step(&paper, ROUND_MS, 50, 0, JUDGE_DEAF_QUICK_MS);
	}
	assert_int_equal(verdict, JUDGE_DEAF);
	assert_true(paper.elapsed_ms <= JUDGE_POKE_EVERY_MS + 1000);
}

static void who_is_idle_costs_no_reading(void **state) {
	(void)state;
	struct paper paper = healthy();
	unsigned sampled = 0;
	while (paper.elapsed_ms < 60000) {
		if (step(&paper, ROUND_MS, 0, 0, JUDGE_DEAF_QUICK_MS) == JUDGE_POKE) {
			paper.view.poked = paper.judge.poke;
			paper.view.beats++;
		}
		sampled += paper.view.sampled;
	}
	assert_int_equal(sampled, 0);
}

static void answered_pokes_are_progress(void **state) {
	(void)state;
	struct paper paper = healthy();
	while (paper.elapsed_ms < 600000) {
		enum judge_verdict verdict = step(&paper, ROUND_MS, 0, 0, JUDGE_DEAF_QUICK_MS);
		if (verdict == JUDGE_POKE) {
			paper.view.poked = paper.judge.poke;
			paper.view.beats++;
		} else {
			assert_int_equal(verdict, JUDGE_WELL);
		}
	}
	assert_true(paper.pokes > 1000);
}

static void starved_is_not_hung(void **state) {
	(void)state;
	/* Runnable and never scheduled: the wait is in no counter until it is over. */
	struct paper unseen = healthy();
	begin_operation(&unseen, LOOP_MS);
	unseen.view.runnable = true;
	assert_int_equal(until(&unseen, 60000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	/* A ninth of a processor beside eight others, in a loop that needs 400 ms. */
	struct paper ninth = healthy();
	begin_operation(&ninth, LOOP_MS);
	ninth.view.runnable = true;
	assert_int_equal(until(&ninth, 3600, 11, 90, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	assert_true(ninth.judge.starved_ns > 3000 * NS_PER_MS);
	/* Asleep at the moment, but what it waits for (a thread of its own) is starved. */
	struct paper helper = healthy();
	begin_operation(&helper, LOOP_MS);
	assert_int_equal(until(&helper, 3600, 11, 90, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
}

static void a_poke_waits_for_a_starved_one(void **state) {
	(void)state;
	struct paper paper = healthy();
	while (step(&paper, ROUND_MS, 0, 0, JUDGE_DEAF_QUICK_MS) != JUDGE_POKE) {
	}
	paper.view.runnable = true;
	assert_int_equal(until(&paper, 60000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
}

static void a_late_supervisor_accuses_nobody(void **state) {
	(void)state;
	struct paper paper = healthy();
	begin_operation(&paper, LOOP_MS);
	assert_int_equal(step(&paper, ROUND_MS, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	assert_int_equal(step(&paper, 20000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	struct paper poked = healthy();
	while (step(&poked, ROUND_MS, 0, 0, JUDGE_DEAF_QUICK_MS) != JUDGE_POKE) {
	}
	assert_int_equal(step(&poked, 20000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	/* But one that is always late still finds who hangs. */
	for (int i = 0; i < 10; i++) {
		(void)step(&poked, 400, 0, 0, JUDGE_DEAF_QUICK_MS);
	}
	assert_true(poked.judge.poke_ns >= JUDGE_DEAF_QUICK_MS * NS_PER_MS);
}

static void a_clock_that_jumps_accuses_nobody(void **state) {
	(void)state;
	static const int64_t jumps_s[] = { 3600, -900, 86400 * 365, -1 };
	struct paper paper = healthy();
	begin_operation(&paper, LOOP_MS);
	for (size_t i = 0; i < sizeof(jumps_s) / sizeof(jumps_s[0]); i++) {
		paper.view.now_ns += (uint64_t)(jumps_s[i] * (int64_t)NS_PER_S);
		assert_int_equal(step(&paper, 1, 1, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
		paper.view.beats++;
		begin_operation(&paper, LOOP_MS); /* the worker's clock jumped as well */
	}
	/* And it is still seen afterwards. */
	assert_int_equal(until(&paper, 5000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_OVERDUE);
}

static void what_was_announced_may_take_long(void **state) {
	(void)state;
	struct paper paper = healthy();
	begin_operation(&paper, 8000);
	assert_int_equal(until(&paper, 7900, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_WELL);
	assert_int_equal(until(&paper, 9000, 0, 0, JUDGE_DEAF_QUICK_MS), JUDGE_OVERDUE);
}

static void a_crash_is_said_at_once(void **state) {
	(void)state;
	struct paper paper = healthy();
	paper.view.crashed = true;
	assert_int_equal(step(&paper, 3, 0, 0, JUDGE_DEAF_MS), JUDGE_CRASHED);
}

static void nonsense_of_a_liar_ends_nothing_but_itself(void **state) {
	(void)state;
	struct paper paper = healthy();
	paper.view.begin_ns = UINT64_MAX;
	paper.view.deadline_ns = 1;
	paper.view.poked = UINT64_MAX;
	assert_int_equal(step(&paper, ROUND_MS, 0, 0, JUDGE_DEAF_MS), JUDGE_WELL);
}

/* A worker in a time namespace of its own writes times that mean nothing here. */
static void live_elsewhere(struct pulse *pulse) {
	static const char offset[] = "monotonic 86400 0\n";
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = unshare(CLONE_NEWTIME) == 0
				 ? open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC)
				 : -1;
	if (fd < 0 || write(fd, offset, strlen(offset)) < 0) {
		_exit(77);
	}
	/* Only children enter the new namespace. */
	pid_t pid = fork();
	if (pid != 0) {
		int status;
		waitpid(pid, &status, 0);
		_exit(0);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 0;; i++) {
		pulse_begin(pulse, PULSE_LOOP, LOOP_MS);
		pulse->beats++;
		poll(NULL, 0, i < 40 ? 20 : 100000); /* then it hangs */
	}
}

static void a_worker_in_another_time_is_judged_by_what_passes(void **state) {
	(void)state;
	struct pulse *pulse = mmap(NULL, PULSE_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pulse, MAP_FAILED);
	pid_t pid = fork();
	if (pid == 0) {
		live_elsewhere(pulse);
	}
	struct judge judge = { 0 };
	enum judge_verdict verdict = JUDGE_WELL;
	uint64_t begun_ns = clock_now_ns();
	int status = 0;
	while (verdict != JUDGE_OVERDUE && clock_now_ns() - begun_ns < 20 * NS_PER_S &&
			waitpid(pid, &status, WNOHANG) == 0) {
		poll(NULL, 0, 50);
		struct pulse_view seen;
		pulse_look(pulse, &seen);
		struct judge_view view = {
			.now_ns = clock_now_ns(),
			.beats = seen.beats,
			.poked = UINT64_MAX,
			.begin_ns = seen.operation_begin_ns,
			.deadline_ns = seen.operation_deadline_ns,
		};
		verdict = judge_step(&judge, &view, JUDGE_DEAF_MS);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		munmap(pulse, PULSE_SIZE);
		SKIP("time namespaces");
	}
	/* Its clock is a day ahead, and it was accused only once it hung. */
	assert_true(pulse->operation_begin_ns > clock_now_ns() + 86000 * NS_PER_S);
	assert_int_equal(verdict, JUDGE_OVERDUE);
	assert_int_equal(pulse->beats, 41);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	munmap(pulse, PULSE_SIZE);
}

static void what_a_process_waited_for_a_processor_is_not_its_own_time(void **state) {
	(void)state;
	struct judge_mark then = { .now_ns = 1000, .run_ns = 10, .wait_ns = 20, .sampled = true };
	struct judge_mark now = { .now_ns = 2000, .run_ns = 60, .wait_ns = 720, .sampled = true };
	assert_int_equal(judge_could_run_ns(&then, &now, 5000), 300); /* it rested, or is stopped */
	now.runnable = true; /* and waits now, nobody knows for how long */
	assert_int_equal(judge_could_run_ns(&then, &now, 5000), 50);
	now.wait_ns = 20;
	now.run_ns = 1010; /* it spins */
	assert_int_equal(judge_could_run_ns(&then, &now, 5000), 1000);
	assert_int_equal(judge_could_run_ns(&then, &now, 400), 400); /* we were late */
	now.sampled = false;
	assert_int_equal(judge_could_run_ns(&then, &now, 5000), 1000);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(stopped_while_it_waits),
		UNIT(stopped_or_blocked_in_an_operation),
		UNIT(spinning_within_its_loop),
		UNIT(spinning_on_a_third_of_a_processor_needs_thrice_as_long),
		UNIT(alive_without_progress),
		UNIT(who_is_idle_costs_no_reading),
		UNIT(answered_pokes_are_progress),
		UNIT(starved_is_not_hung),
		UNIT(a_poke_waits_for_a_starved_one),
		UNIT(a_late_supervisor_accuses_nobody),
		UNIT(a_clock_that_jumps_accuses_nobody),
		UNIT(a_worker_in_another_time_is_judged_by_what_passes),
		UNIT(what_was_announced_may_take_long),
		UNIT(a_crash_is_said_at_once),
		UNIT(nonsense_of_a_liar_ends_nothing_but_itself),
		UNIT(what_a_process_waited_for_a_processor_is_not_its_own_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
