/* SPDX-License-Identifier: MIT */
#include "desktop/pace.h"

#include "base/clock.h"

/* A tick may be used this much early: wake-ups are not exact to the ns, and a
 * picture on tick n must not make tick n + 1 look far away. */
#define EARLY_NS (50 * NS_PER_US)

static uint64_t tick_at(const struct pace *pace, uint64_t tick) {
	unsigned __int128 offset = (unsigned __int128)tick * 1000 * NS_PER_S / pace->rate_mhz;
	return pace->origin_ns + (uint64_t)offset;
}

uint64_t pace_next_tick(const struct pace *pace) {
	return tick_at(pace, pace->tick);
}

uint64_t pace_period_ns(const struct pace *pace) {
	return 1000 * NS_PER_S / pace->rate_mhz;
}

void pace_restart(struct pace *pace, uint32_t rate_mhz, uint64_t now_ns) {
	pace->rate_mhz = rate_mhz;
	pace->origin_ns = now_ns;
	pace->tick = 0;
	pace->rendered_ns = 0;
	pace->has_picture = false;
	pace->damaged = true;
	pace->waiting = true;
}

void pace_begin(struct pace *pace, uint32_t rate_mhz, uint64_t now_ns) {
	*pace = (struct pace){ 0 };
	pace_restart(pace, rate_mhz, now_ns);
}

void pace_damage(struct pace *pace, uint64_t now_ns) {
	pace->waiting = true;
	if (pace->damaged) {
		return;
	}
	pace->damaged = true;
	pace->damaged_ns = now_ns;
	if (now_ns >= pace->rendered_ns + 2 * pace_period_ns(pace)) {
		pace->origin_ns = now_ns;
		pace->tick = 0;
	}
}

void pace_watch(struct pace *pace, bool watched) {
	pace->fresh = watched && (pace->fresh || !pace->watched);
	pace->watched = watched;
	pace->free = pace->free && watched;
	pace->asked = pace->asked && watched;
}

void pace_free(struct pace *pace, bool free) {
	pace->free = free;
}

void pace_ask(struct pace *pace) {
	pace->asked = true;
}

static uint64_t still_at(const struct pace *pace) {
	if (pace->still_step < PACE_STILL_STEPS) {
		return pace->changed_ns + (pace_period_ns(pace) << pace->still_step);
	}
	uint64_t seconds = pace->still_step - PACE_STILL_STEPS + 1;
	return pace->changed_ns + (pace_period_ns(pace) << (PACE_STILL_STEPS - 1)) +
	       seconds * NS_PER_S;
}

uint64_t pace_deadline(const struct pace *pace) {
	if (!pace->watched) {
		return pace->waiting ? pace->callbacks_ns + PACE_UNWATCHED_MS * NS_PER_MS
				     : PACE_NEVER;
	}
	if (!pace->free) {
		return PACE_NEVER;
	}
	if (pace->damaged) {
		return tick_at(pace, pace->tick);
	}
	if (pace->asked || !pace->has_picture) {
		return 0;
	}
	return still_at(pace);
}

enum pace_action pace_step(struct pace *pace, uint64_t now_ns) {
	uint64_t deadline = pace_deadline(pace);
	if (deadline == PACE_NEVER || deadline > now_ns + EARLY_NS) {
		return PACE_NOTHING;
	}
	if (!pace->watched) {
		/* What was damaged stays so until somebody looks. */
		pace->callbacks_ns = now_ns;
		pace->waiting = false;
		return PACE_CALLBACKS;
	}
	if (pace->damaged || !pace->has_picture) {
		return PACE_RENDER;
	}
	if (pace->asked) {
		pace->asked = false;
		return PACE_REPEAT;
	}
	/* Steps that a busy consumer let pass are not made up for. */
	while (still_at(pace) <= now_ns + EARLY_NS) {
		pace->still_step++;
	}
	return PACE_REPEAT;
}

/* The first grid time that the waiting change could have had. */
static uint64_t first_tick(const struct pace *pace) {
	uint64_t at_ns = tick_at(pace, pace->tick);
	if (pace->damaged_ns <= at_ns + EARLY_NS) {
		return pace->tick;
	}
	uint64_t period_ns = pace_period_ns(pace);
	return pace->tick + (pace->damaged_ns - at_ns + period_ns - 1) / period_ns;
}

void pace_rendered(struct pace *pace, bool changed, uint64_t now_ns) {
	uint64_t first = first_tick(pace);
	bool counts = pace->damaged && !pace->fresh && pace->has_picture;
	while (tick_at(pace, pace->tick) <= now_ns + EARLY_NS) {
		/* After a long pause one division rather than many steps. */
		uint64_t behind = now_ns + EARLY_NS - tick_at(pace, pace->tick);
		uint64_t skip = behind / pace_period_ns(pace);
		pace->tick += skip ? skip : 1;
	}
	/* One of those that passed is this picture's own. */
	pace->skipped += counts && pace->tick > first + 1 ? pace->tick - first - 1 : 0;
	pace->fresh = false;
	pace->damaged = false;
	pace->waiting = false;
	pace->asked = pace->asked && !changed;
	pace->rendered_ns = now_ns;
	if (changed || !pace->has_picture) {
		pace->has_picture = true;
		pace->changed_ns = now_ns;
		pace->still_step = 0;
	}
}
