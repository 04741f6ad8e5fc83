/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_RESTARTS_H
#define SUPERVISOR_RESTARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

/* How often one thing may be started again, and when: at once as long as it fails
 * now and then, after growing waits when it fails in a row, and not any more when
 * that does not help. Pure: `now` is an argument. */
enum {
	RESTARTS_KEPT = 16,
	RESTARTS_WINDOW_MS = 60000, /* what lies further back is forgiven */
	RESTARTS_REFUSALS = 3,      /* in the window: by then it is not a passing shortage */
};

struct restarts_rule {
	uint8_t at_once;   /* failures of the window that are answered at once */
	uint8_t most;      /* more than these, and it is given up */
	uint32_t first_ms; /* the first wait, doubled with each further failure */
	uint32_t wait_max_ms;
};

struct restarts {
	uint64_t at_ms[RESTARTS_KEPT]; /* newest first */
	unsigned recent;               /* of them, as of the newest */
	uint32_t total;                /* ever */
	uint32_t reason;               /* of the newest, enum reason */
	uint64_t next_ms;              /* when it is tried again; 0: it was, or it is given up */
	bool given_up;
};

/* It failed. True: start it again after *out_wait_ms; false: it is given up. */
bool restarts_failed(struct restarts *restarts, const struct restarts_rule *rule, uint32_t reason,
		uint64_t now_ms, uint32_t *out_wait_ms) NODISCARD;

/* It is being started: nothing is waited for any more. */
void restarts_tried(struct restarts *restarts);

/* It goes on, but refused something for want of memory or descriptors. True at the
 * RESTARTS_REFUSALS'th time of the window: another one in its place may have them.
 * Counting begins anew then. */
bool restarts_refused(struct restarts *refusals, uint32_t reason, uint64_t now_ms) NODISCARD;

/* How many of its failures lie in the last minute. */
unsigned restarts_recent(const struct restarts *restarts, uint64_t now_ms);

#endif
