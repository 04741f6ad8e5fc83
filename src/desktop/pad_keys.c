/* SPDX-License-Identifier: MIT */
#include "desktop/pad_keys.h"

#include <stddef.h>

#include <linux/input-event-codes.h>

#include "base/own.h"
#include "ipc/pad.h"

enum {
	/* A stick that has gone this far points somewhere, until it has come back so far. */
	POINTS = 20000,
	RESTS = 12000,
};

enum axis {
	NO_AXIS,
	X_AXIS,
	Y_AXIS,
};

static const struct row {
	uint16_t code;
	uint32_t buttons; /* any of these */
	enum axis axis;   /* of the left stick */
	int sign;
} rows[] = {
	{ KEY_UP, PAD_BUTTON_UP, Y_AXIS, 1 },
	{ KEY_DOWN, PAD_BUTTON_DOWN, Y_AXIS, -1 },
	{ KEY_LEFT, PAD_BUTTON_LEFT, X_AXIS, -1 },
	{ KEY_RIGHT, PAD_BUTTON_RIGHT, X_AXIS, 1 },
	{ KEY_ENTER, PAD_BUTTON_A, NO_AXIS, 0 },
	{ KEY_ESC, PAD_BUTTON_B | PAD_BUTTON_BACK, NO_AXIS, 0 },
	{ KEY_BACKSPACE, PAD_BUTTON_X, NO_AXIS, 0 },
};

static bool presses(const struct row *row, const pad_state *state, bool was) {
	int x = state->left_x, y = state->left_y;
	int along = row->sign * (row->axis == X_AXIS ? x : y);
	int across = row->axis == X_AXIS ? y : x;
	across = across < 0 ? -across : across;
	/* Between two directions it begins with the one that it is nearer to. */
	bool points = row->axis != NO_AXIS &&
		      (was ? along >= RESTS : along >= POINTS && along >= across);
	return state->buttons & row->buttons || points;
}

static uint8_t keys_of(const pad_state *state, uint8_t was) {
	uint8_t keys = 0;
	for (size_t i = 0; state && i < ARRAY_LEN(rows); i++) {
		keys |= (uint8_t)((unsigned)presses(&rows[i], state, was >> i & 1) << i);
	}
	return keys;
}

static uint8_t all_of(const struct pad_keys *keys) {
	uint8_t all = 0;
	for (size_t i = 0; i < IPC_PADS_MAX; i++) {
		all |= keys->down[i];
	}
	return all;
}

void pad_keys_take(struct pad_keys *keys, unsigned number, const pad_state *state,
		const struct pad_keys_hearer *hearer) {
	uint8_t before = all_of(keys);
	keys->down[number] = keys_of(state, keys->down[number]);
	uint8_t now = all_of(keys);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if ((before ^ now) >> i & 1) {
			hearer->say(hearer->user, rows[i].code, now >> i & 1);
		}
	}
}
