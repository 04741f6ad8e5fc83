/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_LATCH_H
#define DESKTOP_LATCH_H

#include <stdbool.h>
#include <stdint.h>

/* When to ask clients for their next frame. Asked right after a picture, an app that
 * draws in 3 ms has its frame wait for the rest of the period; asked late, it draws
 * what is newest (input too) and commits just before the grid's next tick. Pure.
 *
 * How late is learnt: the longest that a commit took after the asking, of the newest
 * LATCH_SAMPLES, and a margin. A commit that misses the tick, as on a busy machine, or
 * comes on a clock of its own ends it for LATCH_PENALTY pictures: then frames are
 * asked for at once, as they are until enough is learnt. What is late is rendered when
 * it comes: it delays its picture and skips none. */
enum {
	LATCH_SAMPLES = 32,
	LATCH_PENALTY = 120, /* pictures; doubled each time, up to 16 times that */
	LATCH_GOOD = 600,    /* answers after which that is forgotten */
	LATCH_IDLE_MS = 250, /* a commit that long after is not for being asked */
};

#define LATCH_NEVER UINT64_MAX

struct latch {
	uint64_t due_ns;   /* LATCH_NEVER: nothing is to be asked */
	uint64_t asked_ns; /* 0 once that is answered */
	uint64_t tick_ns;  /* when the answer should be there; LATCH_NEVER: asked at once */
	uint64_t samples[LATCH_SAMPLES];
	unsigned count, next;
	unsigned penalty, penalties; /* pictures left; how often of late */
	unsigned good;               /* answers since the last one */
};

void latch_begin(struct latch *latch);

/* A picture was rendered and the next may be at next_tick_ns; sets due_ns. */
void latch_rendered(struct latch *latch, uint64_t now_ns, uint64_t next_tick_ns);

/* The clients were asked. */
void latch_asked(struct latch *latch, uint64_t now_ns);

/* A client committed a new frame. */
void latch_committed(struct latch *latch, uint64_t now_ns, uint64_t period_ns);

#endif
