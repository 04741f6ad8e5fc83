/* SPDX-License-Identifier: MIT */
#ifndef IPC_CRASH_H
#define IPC_CRASH_H

#include <sys/types.h>

#include "base/own.h"

struct pulse;
struct crash;

enum {
	CRASH_WAIT_MS = 5000, /* for somebody to look */
};

/* What a worker does when it crashes (SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE): it marks
 * its pulse with signal and address, says a line that wakes the supervisor, and stands
 * still for CRASH_WAIT_MS, in which it is stopped for good and looked at; else it dies by
 * the same signal. A crash of another thread is brought to the main thread, whose
 * alternate stack holds what the handler needs: there is no global state. Everything the
 * handler calls is async-signal-safe. Under a sanitizer nothing is installed: it reports
 * better. Call on the main thread, once. */
int crash_open(struct crash **out) NODISCARD;

/* For another handler on the main thread: the page of the worker whose signal context
 * this is, NULL when it has none yet or this is another thread. Async-signal-safe. */
struct pulse *crash_pulse(const void *context);

/* The page to mark (borrowed, for good); before this a crash kills at once. */
void crash_watch(struct crash *crash, struct pulse *pulse);

/* A crash stops the process, so that its parent hears of it, as long as that is `parent`:
 * for one whose own output nobody reads then. */
void crash_stop_for(struct crash *crash, pid_t parent);

#endif
