/* SPDX-License-Identifier: MIT */

/* Somebody to look at: plants marks in memory of every sort, says that it is ready, and
 * stays in a function whose name a backtrace must have. */

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/pulse.h"

enum {
	MARK_SIZE = 16,
	PAGES_SIZE = 64 << 10, /* as an allocator would */
};

/* The marks are made when it runs, so that no program file has them. */
static void make_mark(uint8_t *at, char letter) {
	for (int i = 0; i < MARK_SIZE; i++) {
		at[i] = (uint8_t)(letter ^ (i * 7 + 1));
	}
}

static uint8_t *page_with(char letter, int flags) {
	uint8_t *page = mmap(
			NULL, PAGES_SIZE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	make_mark(page + 100, letter);
	return page;
}

__attribute__((noinline)) static void *second_thread_waits(void *ready) {
	if (write(*(int *)ready, "2", 1) == 1) {
		pause();
	}
	return NULL;
}

__attribute__((noinline)) static void victim_stands_here(bool spin) {
	volatile uint64_t turns = 0;
	if (write(STDOUT_FILENO, "1", 1) != 1) {
		return;
	}
	while (spin) {
		turns++;
	}
	pause();
	__asm__ volatile("" : : : "memory"); /* no tail call: it must be in the backtrace */
}

int main(int argc, char **argv) {
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)page_with('n', MAP_PRIVATE); /* normal: the control */
	uint8_t *hidden = page_with('d', MAP_PRIVATE);
	madvise(hidden, PAGES_SIZE, MADV_DONTDUMP);
	(void)page_with('s', MAP_SHARED);
	uint8_t known[MARK_SIZE]; /* on the stack, and known as a secret */
	make_mark(known, 'k');
	uint8_t plain[MARK_SIZE];
	make_mark(plain, 'p');
	if (argc > 2) {
		struct pulse *pulse;
		if (pulse_map(atoi(argv[2]), &pulse) < 0) {
			return 1;
		}
		pulse_begin(pulse, PULSE_ENCODE, 1234);
		pulse_add(pulse, PULSE_ENCODER_PICTURES, 77);
	}
	int out = STDOUT_FILENO;
	pthread_t thread;
	pthread_create(&thread, NULL, second_thread_waits, &out);
	/* The compiler may not know that nobody reads them. */
	__asm__ volatile("" : : "r"(known), "r"(plain) : "memory");
	victim_stands_here(argc > 1 && strcmp(argv[1], "spin") == 0);
	__asm__ volatile("" : : "r"(known), "r"(plain) : "memory");
	return 0;
}
