/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ipc/crash.h"
#include "ipc/pulse.h"

#define ANY UINT64_MAX /* address */

enum crash_way {
	BY_READING,
	BY_ABORT,
	BY_SIGNAL,
	BY_OVERFLOW,
	IN_A_THREAD,
	BEFORE_START,
};

static void read_nowhere(void) {
	volatile int *nowhere = (volatile int *)(uintptr_t)0x1230;
	*nowhere = 1;
}

__attribute__((noinline)) static int overflow(int depth) {
	volatile char room[4096];
	memset((char *)(uintptr_t)room, depth, sizeof(room));
	return depth > 0 ? overflow(depth + 1) + room[7] : room[9];
}

static void *crash_here(void *user) {
	(void)user;
	read_nowhere();
	return NULL;
}

static void crash(enum crash_way way) {
	pthread_t thread;
	if (way == BY_ABORT) {
		abort();
	} else if (way == BY_SIGNAL) {
		raise(SIGFPE);
	} else if (way == BY_OVERFLOW) {
		overflow(1);
	} else if (way == IN_A_THREAD) {
		pthread_create(&thread, NULL, crash_here, NULL);
		pause();
	} else {
		read_nowhere();
	}
}

static pid_t start(enum crash_way way, struct pulse **out_pulse, int *out_pipe) {
	int pipe_fds[2];
	struct pulse *pulse = mmap(NULL, PULSE_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pulse, MAP_FAILED);
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit no_core = { 0, 0 };
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setrlimit(RLIMIT_CORE, &no_core);
		dup2(pipe_fds[1], STDERR_FILENO);
		struct crash *handler;
		if (crash_open(&handler) < 0) {
			_exit(98);
		}
		if (way != BEFORE_START) {
			crash_watch(handler, pulse);
		}
		crash(way);
		_exit(99);
	}
	close(pipe_fds[1]);
	*out_pulse = pulse;
	*out_pipe = pipe_fds[0];
	return pid;
}

/* Crashes one, waits for its line as the supervisor does, looks at its page. */
static void expect(enum crash_way way, int number, uint64_t address) {
	struct pulse *pulse;
	int output;
	pid_t pid = start(way, &pulse, &output);
	struct pollfd ready = { .fd = output, .events = POLLIN };
	assert_int_equal(poll(&ready, 1, 4000), 1);
	assert_true(ready.revents & POLLIN);
	assert_int_equal(pulse->crash_signal, number);
	if (address != ANY) {
		assert_int_equal(pulse->crash_address, address);
	}
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it waits */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(output);
	munmap(pulse, PULSE_SIZE);
}

static void a_bad_address_is_marked(void **state) {
	(void)state;
	expect(BY_READING, SIGSEGV, 0x1230);
}

static void an_abort_is_marked(void **state) {
	(void)state;
	expect(BY_ABORT, SIGABRT, 0);
}

static void a_signal_of_somebody_is_marked(void **state) {
	(void)state;
	expect(BY_SIGNAL, SIGFPE, 0);
}

static void an_overflown_stack_is_marked(void **state) {
	(void)state;
	expect(BY_OVERFLOW, SIGSEGV, ANY);
}

static void a_crash_of_another_thread_is_marked_too(void **state) {
	(void)state;
	expect(IN_A_THREAD, SIGSEGV, 0x1230);
}

static void without_a_page_it_dies_at_once_and_by_its_signal(void **state) {
	(void)state;
	struct pulse *pulse;
	int output, status;
	uint64_t begun_ns = clock_now_ns();
	pid_t pid = start(BEFORE_START, &pulse, &output);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(clock_now_ns() - begun_ns < CRASH_WAIT_MS * NS_PER_MS);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	close(output);
	munmap(pulse, PULSE_SIZE);
}

static void whom_nobody_looks_at_dies_by_the_same_signal(void **state) {
	(void)state;
	struct pulse *pulse;
	int output, status;
	uint64_t begun_ns = clock_now_ns();
	pid_t pid = start(BY_ABORT, &pulse, &output);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(clock_now_ns() - begun_ns >= CRASH_WAIT_MS * NS_PER_MS);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	close(output);
	munmap(pulse, PULSE_SIZE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_bad_address_is_marked),
		UNIT(an_abort_is_marked),
		UNIT(a_signal_of_somebody_is_marked),
		UNIT(an_overflown_stack_is_marked),
		UNIT(a_crash_of_another_thread_is_marked_too),
		UNIT(without_a_page_it_dies_at_once_and_by_its_signal),
		UNIT(whom_nobody_looks_at_dies_by_the_same_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
