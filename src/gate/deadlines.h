/* SPDX-License-Identifier: MIT */
#ifndef GATE_DEADLINES_H
#define GATE_DEADLINES_H

#include <stddef.h>
#include <stdint.h>

/* Absolute deadlines in lists, one list a phase. Within a phase all waits are about
 * equally long, so a new one goes to the tail: arming, disarming and looking for
 * what is due are O(1), however many connections wait. No clock, no timer. */
struct deadline_list;

struct deadline {
	struct deadline *previous, *next; /* borrowed */
	struct deadline_list *list;       /* NULL when not armed */
	uint64_t due_us;                  /* CLOCK_MONOTONIC */
};

struct deadline_list {
	struct deadline *first, *last; /* borrowed, soonest first */
};

/* Takes the deadline out of any list it is in, and puts it into this one. */
void deadline_arm(struct deadline_list *list, struct deadline *deadline, uint64_t due_us);

/* Harmless when not armed. */
void deadline_disarm(struct deadline *deadline);

/* When to look again: UINT64_MAX when nothing is armed. */
uint64_t deadlines_next(const struct deadline_list *lists, size_t count);

/* Disarms and returns one that is due, NULL when none is. Call until NULL. */
struct deadline *deadlines_take_due(struct deadline_list *lists, size_t count, uint64_t now_us);

#endif
