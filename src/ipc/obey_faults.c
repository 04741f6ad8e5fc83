/* SPDX-License-Identifier: MIT */
#include "ipc/obey_faults.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "ipc/obey.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"
#include "ipc/worker.h"

enum {
	DRIVER_LIMIT_MS = 1000, /* what an encoder announces for one picture */
	HEAP_BLOCK = 64,
};

static void *take_and_leave(void *user) {
	pthread_mutex_lock((pthread_mutex_t *)user);
	return NULL;
}

/* A thread ends and takes a process-wide lock with it; whoever needs that lock next waits
 * for ever. Here: the loop that does the work. */
static int fault_abandoned_lock(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;
	int rc = pthread_create(&thread, NULL, take_and_leave, &lock);
	if (rc != 0) {
		return -rc;
	}
	pthread_join(thread, NULL);
	pthread_mutex_lock(&lock);
	return 0;
}

struct crossing {
	pthread_mutex_t first, second;
	pthread_barrier_t both;
};

static void *cross(void *user) {
	struct crossing *crossing = user;
	pthread_mutex_lock(&crossing->second);
	pthread_barrier_wait(&crossing->both);
	pthread_mutex_lock(&crossing->first);
	return NULL;
}

/* Two threads take two locks in the order that the other does not. */
static int fault_crossed_locks(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	struct crossing *crossing = calloc(1, sizeof(*crossing));
	pthread_t thread;
	if (!crossing) {
		return -ENOMEM;
	}
	pthread_mutex_init(&crossing->first, NULL);
	pthread_mutex_init(&crossing->second, NULL);
	pthread_barrier_init(&crossing->both, NULL, 2);
	pthread_mutex_lock(&crossing->first);
	int rc = pthread_create(&thread, NULL, cross, crossing);
	if (rc == 0) {
		pthread_barrier_wait(&crossing->both);
		pthread_mutex_lock(&crossing->second);
	}
	return -rc;
}

static void never_return(void) {
	for (;;) {
		pause();
	}
}

/* A call into a driver that does not come back, announced as every such call is. */
static int fault_driver_call(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)argument;
	(void)detail;
	(void)size;
	pulse_begin(worker->pulse, PULSE_ENCODE, DRIVER_LIMIT_MS);
	never_return();
	return 0;
}

/* Somebody wrote beyond what was theirs; the allocator finds out later. */
static int fault_corrupt_heap(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	char *volatile block[3];
	for (size_t i = 0; i < 3; i++) {
		block[i] = malloc(HEAP_BLOCK);
	}
	/* The compiler sees no more of this than the production code's did. */
	volatile size_t beyond = HEAP_BLOCK + 32;
	memset(block[0], 0x5a, beyond);
	for (size_t i = 0; i < 3; i++) {
		free(block[i]);
	}
	raise(SIGABRT); /* an allocator that finds nothing ends the same way */
	return 0;
}

/* An exit handler of a library that waits for a thread which is gone. */
static int fault_hanging_exit(
		struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)argument;
	(void)detail;
	(void)size;
	if (atexit(never_return) != 0) {
		return -ENOMEM;
	}
	worker_end(worker, REASON_RESOURCES, "ends with an exit handler that hangs");
	return 0;
}

/* Alive, answering, and making no progress: a loop that a bug keeps turning. */
static int fault_spin(struct worker *worker, const char *argument, char *detail, size_t size) {
	(void)worker;
	(void)argument;
	(void)detail;
	(void)size;
	for (volatile unsigned turns = 1; turns; turns |= 1) {
	}
	return 0;
}

static const struct obey_order faults[] = {
	{ "abandoned-lock", fault_abandoned_lock },
	{ "crossed-locks", fault_crossed_locks },
	{ "driver-call", fault_driver_call },
	{ "corrupt-heap", fault_corrupt_heap },
	{ "hanging-exit", fault_hanging_exit },
	{ "spin", fault_spin },
};

const struct obey_order *obey_fault(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		if (strcmp(faults[i].name, name) == 0) {
			return &faults[i];
		}
	}
	return NULL;
}
