/* SPDX-License-Identifier: MIT */
#include "autopsy/target.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/number.h"
#include "base/text.h"

struct target *target_create(pid_t pid) {
	/* Every page is there before anybody is stopped. */
	struct target *target = mmap(NULL, sizeof(*target), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (target == MAP_FAILED) {
		abort();
	}
	target->pid = pid;
	return target;
}

void target_destroy(struct target *target) {
	if (!target) {
		return;
	}
	for (size_t i = 0; i < target->count; i++) {
		if (target->threads[i].stack) {
			munmap(target->threads[i].stack, TARGET_STACK);
		}
	}
	munmap(target, sizeof(*target));
}

static bool knows(const struct target *target, pid_t tid) {
	for (size_t i = 0; i < target->count; i++) {
		if (target->threads[i].tid == tid) {
			return true;
		}
	}
	return false;
}

/* Seizing stops nobody; it says who has to be stopped. Returns how many were new. */
static size_t seize(struct target *target) {
	char path[40];
	text_format(path, sizeof(path), "/proc/%d/task", target->pid);
	DIR *tasks = opendir(path);
	if (!tasks) {
		target->error = errno;
		return 0;
	}
	size_t added = 0;
	for (struct dirent *entry;
			(entry = readdir(tasks)) && target->count < TARGET_THREADS_MAX;) {
		int64_t tid;
		if (number_parse(entry->d_name, strlen(entry->d_name), 1, INT32_MAX, &tid) < 0 ||
				knows(target, (pid_t)tid)) {
			continue;
		}
		struct target_thread *thread = &target->threads[target->count++];
		thread->tid = (pid_t)tid;
		thread->stack = mmap(NULL, TARGET_STACK, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (thread->stack == MAP_FAILED) {
			thread->stack = NULL;
		}
		thread->seized = ptrace(PTRACE_SEIZE, thread->tid, NULL, NULL) == 0;
		if (!thread->seized) {
			target->error = errno;
		}
		added++;
	}
	closedir(tasks);
	return added;
}

uint64_t target_stack_pointer(const struct target_thread *thread) {
#if defined(__x86_64__)
	return thread->registers.rsp;
#else
	return thread->registers.sp;
#endif
}

/* Up to the end of its mapping: what lies beyond cannot be read in the same call. */
static size_t copy_memory(pid_t pid, uint64_t address, void *out, size_t size) {
	size_t done = 0;
	while (done < size) {
		size_t step = 4096 - ((address + done) & 4095);
		step = step < size - done ? step : size - done;
		struct iovec to = { (uint8_t *)out + done, step };
		struct iovec from = { (void *)(uintptr_t)(address + done), step };
		ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);
		if (got <= 0) {
			break;
		}
		done += (size_t)got;
	}
	return done;
}

static void copy_thread(struct target *target, struct target_thread *thread) {
	struct iovec registers = { &thread->registers, sizeof(thread->registers) };
	if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)(uintptr_t)NT_PRSTATUS, &registers) < 0) {
		return;
	}
	thread->stopped = true;
	target->stopped++;
	if (thread->stack) {
		struct iovec to = { thread->stack, TARGET_STACK };
		struct iovec from = { (void *)(uintptr_t)target_stack_pointer(thread),
			TARGET_STACK };
		ssize_t got = process_vm_readv(target->pid, &to, 1, &from, 1, 0);
		thread->stack_size =
				got > 0 ? (size_t)got
					: copy_memory(target->pid, target_stack_pointer(thread),
							  thread->stack, TARGET_STACK);
	}
}

/* Until a child changes state, a millisecond at most: a signal stands for several. */
static void wait_for_change(void) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	struct timespec wait = { .tv_nsec = (long)NS_PER_MS };
	sigtimedwait(&set, NULL, &wait);
}

/* True when it has stopped, or gone, which clears `seized`. */
static bool has_stopped(struct target_thread *thread) {
	int status;
	pid_t got = waitpid(thread->tid, &status, __WALL | WNOHANG);
	if (got < 0 || (got > 0 && !WIFSTOPPED(status))) {
		thread->seized = false;
	}
	return got != 0;
}

static void let_go(struct target_thread *thread) {
	if (thread->seized) {
		ptrace(PTRACE_DETACH, thread->tid, NULL, NULL);
		thread->seized = false;
	}
}

/* Stops one, copies it, lets it go; the others run meanwhile. It is held no longer than
 * since it was last seen running. */
static void take_one(struct target *target, struct target_thread *thread, uint64_t deadline_ns) {
	ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL);
	uint64_t running_ns = clock_now_ns();
	bool stopped;
	while (!(stopped = has_stopped(thread)) && running_ns < deadline_ns) {
		wait_for_change();
		running_ns = clock_now_ns();
	}
	if (stopped && thread->seized) {
		copy_thread(target, thread);
		let_go(thread);
		uint64_t held_ns = clock_now_ns() - running_ns;
		target->held_ns = held_ns > target->held_ns ? held_ns : target->held_ns;
	}
}

/* True when all that can be had is. */
static bool collect(struct target *target) {
	bool all = true;
	for (size_t i = 0; i < target->count; i++) {
		struct target_thread *thread = &target->threads[i];
		if (thread->seized && !thread->stopped) {
			bool stopped = has_stopped(thread);
			if (stopped && thread->seized) {
				copy_thread(target, thread);
			}
			all &= stopped;
		}
	}
	return all;
}

/* They stay stopped: what stopped them does not end with the trace. */
static void take_all(struct target *target, uint64_t deadline_ns) {
	uint64_t begun_ns = clock_now_ns();
	for (size_t i = 0; i < target->count; i++) {
		if (target->threads[i].seized) {
			ptrace(PTRACE_INTERRUPT, target->threads[i].tid, NULL, NULL);
		}
	}
	while (!collect(target) && clock_now_ns() < deadline_ns) {
		wait_for_change();
	}
	for (size_t i = 0; i < target->count; i++) {
		if (target->threads[i].stopped) {
			let_go(&target->threads[i]);
		}
	}
	target->held_ns = clock_now_ns() - begun_ns;
}

/* Whoever holds others up must not be held up itself. */
static void hurry(bool on) {
	struct sched_param param = { .sched_priority = on ? 1 : 0 };
	(void)sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &param);
}

void target_take(struct target *target, bool live) {
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	while (seize(target) > 0) {
		/* Threads may come while we look. */
	}
	uint64_t deadline_ns = clock_now_ns() + TARGET_MS * NS_PER_MS;
	if (live) {
		hurry(true);
		for (size_t i = 0; i < target->count; i++) {
			if (target->threads[i].seized) {
				take_one(target, &target->threads[i], deadline_ns);
			}
		}
		hurry(false);
	} else {
		take_all(target, deadline_ns);
	}
	/* Who has not stopped yet is let go by our end, or when it does. */
}

size_t target_read(const struct target *target, uint64_t address, void *out, size_t size) {
	for (size_t i = 0; i < target->count; i++) {
		const struct target_thread *thread = &target->threads[i];
		uint64_t offset = address - target_stack_pointer(thread);
		if (thread->stack_size >= size && offset <= thread->stack_size - size) {
			memcpy(out, thread->stack + offset, size);
			return size;
		}
	}
	return copy_memory(target->pid, address, out, size);
}
