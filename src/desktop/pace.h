/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PACE_H
#define DESKTOP_PACE_H

#include <stdbool.h>
#include <stdint.h>

/* When to render. Pure: told the time, answers an action and a deadline.
 *
 * - Pictures lie on an absolute grid, tick n at origin + n / rate, so that 60 Hz
 *   is 60 Hz however late single wake-ups are.
 * - Without damage there is no deadline at all. After two periods without a
 *   picture the grid starts anew at the damage: an idle desktop answers at once.
 * - The next picture is rendered when the grid says so or a consumer is free,
 *   whichever is later.
 * - After the last change the same picture is offered again after 1, 2, 4, 8 and
 *   16 periods (a client notices a lost last frame only when a later one comes),
 *   then once a second.
 * - While nobody watches nothing is rendered; clients are asked for frames at
 *   PACE_UNWATCHED_MS so that they live on. */
enum {
	PACE_RATE_MHZ_MIN = 1000,
	PACE_RATE_MHZ_MAX = 240000,
	PACE_UNWATCHED_MS = 100,
	PACE_STILL_STEPS = 5,
};

#define PACE_NEVER UINT64_MAX

enum pace_action {
	PACE_NOTHING,
	PACE_RENDER,    /* then call pace_rendered() */
	PACE_REPEAT,    /* offer the newest picture again */
	PACE_CALLBACKS, /* send frame callbacks without rendering */
};

struct pace {
	uint32_t rate_mhz;     /* thousandths of a picture per second */
	uint64_t origin_ns;    /* of the grid */
	uint64_t tick;         /* next tick that may be used */
	uint64_t rendered_ns;  /* when something was last rendered */
	uint64_t changed_ns;   /* when the picture last changed */
	uint64_t damaged_ns;   /* since when a change waits to be rendered */
	uint64_t skipped;      /* grid times that passed while one waited: pictures dropped */
	uint64_t callbacks_ns; /* when callbacks were last sent without rendering */
	unsigned still_step;   /* refinements since the change */
	bool has_picture;      /* something can be repeated */
	bool damaged;
	bool fresh;   /* watched, but nothing rendered for it yet: what passed before is no loss */
	bool waiting; /* clients wait for callbacks; matters while nobody watches */
	bool watched;
	bool free;  /* some consumer takes a picture now */
	bool asked; /* a consumer wants a picture, changed or not */
};

void pace_begin(struct pace *pace, uint32_t rate_mhz, uint64_t now_ns);

/* A new rate; the grid starts anew, and what could be repeated is gone. */
void pace_restart(struct pace *pace, uint32_t rate_mhz, uint64_t now_ns);

void pace_damage(struct pace *pace, uint64_t now_ns);
void pace_watch(struct pace *pace, bool watched);
void pace_free(struct pace *pace, bool free);
void pace_ask(struct pace *pace);

/* When to call pace_step(); may lie in the past. PACE_NEVER: only events matter. */
uint64_t pace_deadline(const struct pace *pace);

/* What is due now. */
enum pace_action pace_step(struct pace *pace, uint64_t now_ns);

/* After PACE_RENDER; changed says whether the picture differs from the last. */
void pace_rendered(struct pace *pace, bool changed, uint64_t now_ns);

/* Where the next picture may be on the grid. */
uint64_t pace_next_tick(const struct pace *pace);

uint64_t pace_period_ns(const struct pace *pace);

#endif
