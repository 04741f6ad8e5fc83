/* SPDX-License-Identifier: MIT */
#include "desktop/latch.h"

#include "base/clock.h"

#define MARGIN_NS (2 * NS_PER_MS)

void latch_begin(struct latch *latch) {
	*latch = (struct latch){ .due_ns = LATCH_NEVER };
}

/* A commit needs this long, as far as we know. */
static uint64_t needed(const struct latch *latch) {
	uint64_t longest = 0;
	for (unsigned i = 0; i < latch->count; i++) {
		longest = latch->samples[i] > longest ? latch->samples[i] : longest;
	}
	return longest + longest / 4 + MARGIN_NS;
}

void latch_rendered(struct latch *latch, uint64_t now_ns, uint64_t next_tick_ns) {
	latch->asked_ns = 0;
	latch->due_ns = now_ns;
	latch->tick_ns = LATCH_NEVER;
	if (latch->penalty > 0) {
		latch->penalty--;
		return;
	}
	if (latch->count == LATCH_SAMPLES && next_tick_ns > now_ns + needed(latch)) {
		latch->due_ns = next_tick_ns - needed(latch);
		latch->tick_ns = next_tick_ns;
	}
}

void latch_asked(struct latch *latch, uint64_t now_ns) {
	latch->due_ns = LATCH_NEVER;
	latch->asked_ns = now_ns;
}

static void give_up(struct latch *latch) {
	unsigned doubled = latch->penalties < 4 ? latch->penalties : 4;
	latch->penalty = LATCH_PENALTY << doubled;
	latch->penalties++;
	latch->good = 0;
}

void latch_committed(struct latch *latch, uint64_t now_ns, uint64_t period_ns) {
	if (latch->due_ns != LATCH_NEVER) {
		/* Nobody was asked yet: it was late, or goes by a clock of its own. */
		if (latch->penalty == 0 && latch->count == LATCH_SAMPLES) {
			give_up(latch);
		}
		latch->due_ns = now_ns < latch->due_ns ? now_ns : latch->due_ns;
		return;
	}
	if (latch->asked_ns == 0) {
		return;
	}
	uint64_t took = now_ns - latch->asked_ns;
	latch->asked_ns = 0;
	if (took > LATCH_IDLE_MS * NS_PER_MS) {
		return;
	}
	if (took > period_ns || now_ns > latch->tick_ns) {
		give_up(latch); /* it needs every bit of time */
	} else if (++latch->good >= LATCH_GOOD) {
		latch->penalties = 0;
	}
	if (took > period_ns) {
		return;
	}
	latch->samples[latch->next] = took;
	latch->next = (latch->next + 1) % LATCH_SAMPLES;
	latch->count += latch->count < LATCH_SAMPLES;
}
