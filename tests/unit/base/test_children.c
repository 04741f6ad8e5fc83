/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/children.h"

struct seen {
	pid_t wanted;
	unsigned wanted_times, others;
};

static void see(pid_t child, void *user) {
	struct seen *seen = user;
	*(child == seen->wanted ? &seen->wanted_times : &seen->others) += 1;
}

static pid_t start(void) {
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid) {
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void every_child_is_told_once_until_it_is_reaped(void **state) {
	(void)state;
	pid_t first = start(), second = start();
	struct seen seen = { .wanted = first };
	assert_int_equal(children_each(getpid(), see, &seen), 2);
	assert_true(seen.wanted_times == 1 && seen.others == 1);
	end(second);
	seen = (struct seen){ .wanted = first };
	assert_int_equal(children_each(getpid(), see, &seen), 1);
	assert_int_equal(seen.wanted_times, 1);
	end(first);
	assert_int_equal(children_each(getpid(), see, &seen), 0);
}

struct other {
	pthread_barrier_t barrier;
	pid_t child;
};

static void *start_in_a_thread(void *user) {
	struct other *other = user;
	other->child = start();
	pthread_barrier_wait(&other->barrier); /* it is there */
	pthread_barrier_wait(&other->barrier); /* it was seen */
	return NULL;
}

static void those_of_other_threads_are_ours_too(void **state) {
	(void)state;
	struct other other;
	pthread_t thread;
	assert_int_equal(pthread_barrier_init(&other.barrier, NULL, 2), 0);
	assert_int_equal(pthread_create(&thread, NULL, start_in_a_thread, &other), 0);
	pthread_barrier_wait(&other.barrier);
	struct seen seen = { .wanted = other.child };
	assert_int_equal(children_each(getpid(), see, &seen), 1);
	assert_int_equal(seen.wanted_times, 1);
	pthread_barrier_wait(&other.barrier);
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&other.barrier);
	end(other.child);
}

static void whoever_is_gone_has_none(void **state) {
	(void)state;
	pid_t gone = start();
	end(gone);
	assert_true(children_each(gone, see, NULL) < 0);
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		UNIT(every_child_is_told_once_until_it_is_reaped),
		UNIT(those_of_other_threads_are_ours_too),
		UNIT(whoever_is_gone_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
