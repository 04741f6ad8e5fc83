/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_CHECK_H
#define CLI_PROBE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/samples.h"

/* How long a key press takes to be seen: presses, one after the other, each waited for
 * in Pattern's count of presses. Between them it waits a little, differently each time,
 * so that they meet all phases of the picture rate. Pure. */
enum {
	CHECK_LIMIT_MS = 1000, /* after that a press counts as lost */
};

struct probe_check {
	uint32_t left;       /* presses still to be made */
	bool waits;          /* one was made */
	uint16_t base;       /* presses seen before it */
	uint64_t pressed_ns; /* when it was sent */
	uint64_t next_ns;    /* when to make the next one, or to give this one up */
	uint64_t seed;
	uint64_t missed;
	struct samples arrived_ms; /* until the picture's last datagram came */
	struct samples decoded_ms; /* until it could have been shown */
};

void probe_check_add(struct probe_check *check, uint32_t presses, uint64_t now_ns);
void probe_check_finish(struct probe_check *check);

/* When probe_check_is_due() may be true; UINT64_MAX for never. */
uint64_t probe_check_deadline_ns(const struct probe_check *check);

/* True when a key is to be pressed (and released) now; `seen` is the newest count. */
bool probe_check_is_due(struct probe_check *check, uint16_t seen, uint64_t now_ns);

/* A picture showed `seen` presses. */
void probe_check_see(
		struct probe_check *check, uint16_t seen, uint64_t arrived_ns, uint64_t decoded_ns);

#endif
