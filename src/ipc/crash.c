/* SPDX-License-Identifier: MIT */
#include "ipc/crash.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "base/clock.h"
#include "ipc/pulse.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CRASH_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CRASH_SANITIZED 1
#endif

enum {
	STACK_SIZE = 64 << 10,
};

#define CRASH_MAGIC UINT64_C(0x7065726967656521)

/* At the low end of the main thread's alternate stack, where its context names it. */
struct crash {
	uint64_t magic;
	struct pulse *pulse; /* borrowed */
	pid_t parent;        /* who looks at a process that has stopped; 0: nobody */
};

static struct crash *find(const ucontext_t *context) {
	if (context->uc_stack.ss_flags & SS_DISABLE) {
		return NULL;
	}
	struct crash *crash = (struct crash *)context->uc_stack.ss_sp;
	return crash && context->uc_stack.ss_size == STACK_SIZE && crash->magic == CRASH_MAGIC
			       ? crash
			       : NULL;
}

static void die(int number) {
	signal(number, SIG_DFL);
	/* Pending until the handler returns. */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number);
}

/* Hands the fault to the main thread and stays where it is, for the backtrace. */
static void forward(int number, const siginfo_t *info) {
	siginfo_t told = { .si_signo = number, .si_code = SI_QUEUE };
	told.si_value.sival_ptr = info->si_addr;
	if (syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), number, &told) < 0 &&
			/* A filter may forbid it: then without the address. */
			syscall(SYS_tgkill, getpid(), getpid(), number) < 0) {
		die(number);
		return;
	}
	(void)poll(NULL, 0, CRASH_WAIT_MS + 1000);
	die(number);
}

/* What could not be reached. A signal that somebody sent has none: other things lie there. */
static void *address_of(const siginfo_t *info) {
	return info->si_code == SI_QUEUE ? info->si_value.sival_ptr
	       : info->si_code > 0       ? info->si_addr
					 : NULL;
}

static void handle_crash(int number, siginfo_t *info, void *context) {
	static const char line[] = "e crashed note=\"waits to be looked at\"\n";
	struct crash *crash = find((const ucontext_t *)context);
	if (!crash) {
		forward(number, info);
		return;
	}
	if (crash->pulse) {
		void *address = address_of(info);
		atomic_store_explicit(&crash->pulse->crash_address, (uint64_t)(uintptr_t)address,
				memory_order_relaxed);
		atomic_store_explicit(&crash->pulse->crash_signal, (uint32_t)number,
				memory_order_release);
		if (crash->parent && crash->parent == getppid()) {
			raise(SIGSTOP); /* it hears of that at once */
		}
		if (write(STDERR_FILENO, line, sizeof(line) - 1) >= 0) {
			/* Whoever reads it looks at the page at once. */
		}
		(void)poll(NULL, 0, CRASH_WAIT_MS);
	}
	die(number);
}

struct pulse *crash_pulse(const void *context) {
	struct crash *crash = find((const ucontext_t *)context);
	return crash ? crash->pulse : NULL;
}

void crash_watch(struct crash *crash, struct pulse *pulse) {
	if (crash) {
		crash->pulse = pulse;
	}
}

void crash_stop_for(struct crash *crash, pid_t parent) {
	if (crash) {
		crash->parent = parent;
	}
}

int crash_open(struct crash **out) {
#ifdef CRASH_SANITIZED
	(void)handle_crash;
	*out = NULL;
	return 0;
#else
	static const int numbers[] = { SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE };
	void *map = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	if (map == MAP_FAILED) {
		return -errno;
	}
	struct crash *crash = (struct crash *)map;
	crash->magic = CRASH_MAGIC;
	stack_t stack = { .ss_sp = map, .ss_size = STACK_SIZE };
	if (sigaltstack(&stack, NULL) < 0) {
		return -errno;
	}
	struct sigaction action = { .sa_sigaction = handle_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK };
	/* One crash at a time. */
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		sigaddset(&action.sa_mask, numbers[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (sigaction(numbers[i], &action, NULL) < 0) {
			return -errno;
		}
	}
	*out = crash;
	return 0;
#endif
}
