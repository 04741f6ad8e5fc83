/* SPDX-License-Identifier: MIT */
#ifndef STREAM_COMBO_H
#define STREAM_COMBO_H

#include <stdint.h>

#include "proto/input.h"

/* What brings a viewer back to its own desktop, wherever it is: Ctrl+Alt+Shift+W, or START,
 * UP and RB of one pad. It asks once, however long it is held. The desktop never sees the W,
 * and a pad's three buttons only once they were let go. Pure. */
struct combo {
	uint8_t modifiers;                         /* of either side that are down, by bit */
	bool held;                                 /* the W that asked is still down */
	uint32_t kept_back[INPUT_CONTROLLERS_MAX]; /* a pad's buttons that asked and are down */
};

/* What is to be done with an event, or-ed. */
enum {
	COMBO_ASKS = 1,  /* the viewer goes back: what it holds is let go first */
	COMBO_KEEPS = 2, /* the event does not go on */
};

/* Looks at an event, and takes out of a pad's what does not go on. */
unsigned combo_take(struct combo *combo, struct input_event *event);

#endif
