/* SPDX-License-Identifier: MIT */
#ifndef STREAM_PACE_H
#define STREAM_PACE_H

#include <stdint.h>

/* When the datagrams of one frame may leave. The first burst goes at once, so
 * that an ordinary frame leaves in the wake-up that brought it; what a large
 * frame has beyond it is spread evenly, at a few times the viewer's ceiling, but
 * over at most half a picture time: it must be gone before the next one comes.
 * Pure arithmetic: the time is an argument. */
enum {
	PACE_BURST = 64,     /* datagrams that leave at once */
	PACE_STEP = 16,      /* datagrams worth waking up for: one segmented send */
	PACE_OVER_RATE = 4,  /* times the ceiling */
	PACE_LINE_MAX = 800, /* Mbit/s, whatever the ceiling: 80 % of a gigabit link */
};

struct pace {
	uint64_t line_kbps; /* how fast the rest of a frame leaves */
	uint64_t spread_max_ns;
	/* the frame in hand */
	uint32_t total;
	uint64_t begin_ns, spread_ns;
};

/* Zero for "not asked" counts as 20 Mbit/s and 60 Hz. */
void pace_init(struct pace *pace, uint32_t ceiling_kbps, uint32_t rate_x100);

void pace_begin(struct pace *pace, uint32_t datagrams, uint32_t datagram_size, uint64_t now_ns);

/* How many datagrams of the frame may have left by now. */
uint32_t pace_allowed(const struct pace *pace, uint64_t now_ns);

/* When the next step may leave, given how many have. */
uint64_t pace_next_ns(const struct pace *pace, uint32_t sent);

#endif
