/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_KEYS_H
#define DESKTOP_PAD_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "desktop/pad_event.h"

/* Pads as keys, for an app that knows none (Home): directions are arrows, A is Enter, B and
 * BACK are Escape, X erases. A key is down while any pad of the viewer presses it, by cross or
 * by stick. START is no key: it begins the combination that brings a viewer back. Pure. */
struct pad_keys {
	uint8_t down[IPC_PADS_MAX]; /* of each pad: its keys, by bit */
};

struct pad_keys_hearer {
	void (*say)(void *user, uint32_t code, bool down); /* code: evdev */
	void *user;                                        /* borrowed */
};

/* What a pad is like now; state NULL: it is unplugged. */
void pad_keys_take(struct pad_keys *keys, unsigned number, const pad_state *state,
		const struct pad_keys_hearer *hearer);

#endif
