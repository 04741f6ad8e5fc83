/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_MEASURE_H
#define SUPERVISOR_MEASURE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/shm.h"
#include "ipc/message.h"

struct sd_event_source;
struct supervisor;

/* What every process takes, measured when a program asks. Reading it may wait for a process
 * that hangs, so another one reads it, for at most MEASURE_MS. */

enum {
	MEASURE_MS = 3000,
	MEASURE_REQUESTS_MAX = 8,
};

struct measured {
	uint64_t session; /* its desk; 0: the host's own */
	char kind[12];
};

struct measure {
	pid_t pid; /* who measures; 0: nobody */
	struct shm shm;
	struct measured *rows; /* owned: of the shm's */
	size_t count;
	struct sd_event_source *exit, *overdue; /* owned */
	uint32_t requests[MEASURE_REQUESTS_MAX];
	unsigned requests_count;
};

/* MEMORY_ASK of the web door: answered by STATUS_LINEs, and STATUS_END. Without any line: it
 * could not be measured in time. */
void measure_ask(struct supervisor *supervisor, const struct ipc_message *message);

void measure_finish(struct measure *measure);

#endif
