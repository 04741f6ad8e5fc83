/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_THREADS_H
#define SUPERVISOR_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

/* What the kernel says of a process, all threads together (proc(5)). */
struct threads {
	unsigned count, stopped; /* stopped: also traced, dead and gone ones */
	bool runnable;           /* one of them runs or would */
	bool timed;              /* the times are known (CONFIG_SCHED_INFO) */
	uint64_t run_ns, wait_ns;
};

/* Costs some microseconds a thread. -ENOENT: there is no such process. */
int threads_look(pid_t pid, struct threads *out) NODISCARD;

#endif
