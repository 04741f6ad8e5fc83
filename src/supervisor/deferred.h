/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_DEFERRED_H
#define SUPERVISOR_DEFERRED_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"

struct sd_event_source;
struct supervisor;

/* Launches that wait for another. Plain RTSP carries nothing that tells two
 * clients of one address apart, so at most one plain launch of an address is
 * between its answer and PLAY; the next waits here, 10 s at the most (clients
 * allow 120 s). */

enum {
	DEFERRED_MAX = 16,
	DEFERRED_WAIT_MS = 10000,
};

struct deferred {
	struct supervisor *supervisor;         /* borrowed */
	struct sd_event_source *timer;         /* owned: the oldest's deadline */
	struct ipc_message list[DEFERRED_MAX]; /* oldest first; keys inside are wiped */
	uint64_t deadline_ms[DEFERRED_MAX];
	unsigned count;
};

/* False when too many wait already. */
bool deferred_add(struct deferred *deferred, const struct ipc_message *launch);

/* Whether a launch of that request waits. */
bool deferred_has(const struct deferred *deferred, uint32_t request);

/* Something ended its wait: every launch is tried again, in order. */
void deferred_retry(struct deferred *deferred);

void deferred_finish(struct deferred *deferred);

#endif
