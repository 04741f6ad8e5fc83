/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_HELD_H
#define DESKTOP_HELD_H

#include <stdbool.h>
#include <stdint.h>

/* Who holds which key and button down. Several viewers may drive one desktop: a
 * key goes down with the first and up with the last, and what a viewer held is
 * let go when it leaves. Pure. */
enum {
	HELD_MAX = 64, /* presses at once, all viewers together */
};

enum held_kind {
	HELD_KEY,
	HELD_BUTTON,
};

struct held_press {
	uint32_t viewer;
	uint32_t code; /* evdev */
	enum held_kind kind;
};

struct held {
	struct held_press presses[HELD_MAX];
	unsigned count;
};

/* True when nobody held it before: send it on. A press that finds no room, or that
 * this viewer holds already, is not. */
bool held_press(struct held *held, struct held_press press);

/* True when nobody holds it any more: send it on. False also for what was not held. */
bool held_release(struct held *held, struct held_press press);

/* Takes out one press of this viewer that nobody else holds, to be released; false
 * when there is none left. Call until it says so. */
bool held_next(struct held *held, uint32_t viewer, struct held_press *out);

#endif
