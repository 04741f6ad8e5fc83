/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_TARGET_H
#define AUTOPSY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "base/own.h"

/* The registers and stacks of a process, taken from outside. It is stopped for as long
 * as copying takes; one that was stopped before remains so and never runs an
 * instruction more. Whatever is computed from the copy is computed afterwards. */

enum {
	TARGET_THREADS_MAX = 256,
	TARGET_MS = 1000,        /* until threads must have stopped; one in a driver does not */
	TARGET_STACK = 64 << 10, /* bytes copied from the stack pointer on */
};

#if defined(__x86_64__)
typedef struct user_regs_struct target_registers; /* the kernel's name for it */
#elif defined(__aarch64__)
typedef struct user_regs_struct target_registers;
#endif

struct target_thread {
	pid_t tid;
	bool seized, stopped; /* stopped: what follows is there */
	target_registers registers;
	uint8_t *stack;    /* owned */
	size_t stack_size; /* copied */
};

struct target {
	pid_t pid;
	struct target_thread threads[TARGET_THREADS_MAX];
	size_t count, stopped; /* stopped: those whose registers we have */
	uint64_t held_ns;      /* the longest that one thread was held up, at most */
	int error;             /* of ptrace, when nothing could be had; 0 */
};

/* Never NULL: aborts without memory, which ends an autopsy and nothing else. */
struct target *target_create(pid_t pid);
void target_destroy(struct target *target);

/* Stops, copies and lets go. How much was had is in the struct. */
void target_take(struct target *target, bool live);

uint64_t target_stack_pointer(const struct target_thread *thread);

/* Reads the process's memory: the copied stacks first, else as it is now. Bytes read,
 * which may be fewer than asked for; 0 when there are none. */
size_t target_read(const struct target *target, uint64_t address, void *out, size_t size);

#endif
