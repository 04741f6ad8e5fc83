/* SPDX-License-Identifier: MIT */
#include "desktop/pad_event.h"

#include <assert.h>

#include "base/own.h"
#include "ipc/pad.h"

enum {
	STICK_MAX = 32767,
	BYTE_MAX = 255,
	CENTRE = 128,
};

/* clang-format off */
#define STICKS(fuzz, flat) \
	{ PAD_AXIS_LEFT_X,  ABS_X,  -32768, 32767, fuzz, flat }, \
	{ PAD_AXIS_LEFT_Y,  ABS_Y,  -32768, 32767, fuzz, flat }, \
	{ PAD_AXIS_RIGHT_X, ABS_RX, -32768, 32767, fuzz, flat }, \
	{ PAD_AXIS_RIGHT_Y, ABS_RY, -32768, 32767, fuzz, flat }
#define HAT \
	{ PAD_AXIS_HAT_X, ABS_HAT0X, -1, 1, 0, 0 }, { PAD_AXIS_HAT_Y, ABS_HAT0Y, -1, 1, 0, 0 }

/* Buttons by where they are on the pad, not by what is printed on them: the client's A is
 * the lower one. The kernel's names for Xbox pads put BTN_NORTH on the left. */
static const struct pad_shape shapes[PADS] = {
	/* Documentation/input/gamepad.rst, drivers/input/joystick/xpad.c */
	[PAD_XBOX] = { "Perigee Xbox One (virtual) pad", 0x045e, 0x02ea, 0x0408,
		.keys = {
			{ PAD_BUTTON_A, BTN_A, 0 }, { PAD_BUTTON_B, BTN_B, 0 },
			{ PAD_BUTTON_X, BTN_X, 0 }, { PAD_BUTTON_Y, BTN_Y, 0 },
			{ PAD_BUTTON_LEFT_SHOULDER, BTN_TL, 0 },
			{ PAD_BUTTON_RIGHT_SHOULDER, BTN_TR, 0 },
			{ PAD_BUTTON_BACK, BTN_SELECT, 0 }, { PAD_BUTTON_START, BTN_START, 0 },
			{ PAD_BUTTON_GUIDE, BTN_MODE, 0 },
			{ PAD_BUTTON_LEFT_STICK, BTN_THUMBL, 0 },
			{ PAD_BUTTON_RIGHT_STICK, BTN_THUMBR, 0 },
		},
		.axes = {
			STICKS(16, 128),
			{ PAD_AXIS_LEFT_TRIGGER,  ABS_Z,  0, 255, 0, 0 },
			{ PAD_AXIS_RIGHT_TRIGGER, ABS_RZ, 0, 255, 0, 0 },
			HAT,
		},
	},
	/* drivers/hid/hid-playstation.c; without touchpad and motion, which need uhid */
	[PAD_PS] = { "Perigee PS5 (virtual) pad", 0x054c, 0x0ce6, 0x8111,
		.keys = {
			{ PAD_BUTTON_A, BTN_SOUTH, 0 }, { PAD_BUTTON_B, BTN_EAST, 0 },
			{ PAD_BUTTON_X, BTN_WEST, 0 }, { PAD_BUTTON_Y, BTN_NORTH, 0 },
			{ PAD_BUTTON_LEFT_SHOULDER, BTN_TL, 0 },
			{ PAD_BUTTON_RIGHT_SHOULDER, BTN_TR, 0 },
			{ 0, BTN_TL2, 1 }, { 0, BTN_TR2, 2 },
			{ PAD_BUTTON_BACK, BTN_SELECT, 0 }, { PAD_BUTTON_START, BTN_START, 0 },
			{ PAD_BUTTON_GUIDE, BTN_MODE, 0 },
			{ PAD_BUTTON_LEFT_STICK, BTN_THUMBL, 0 },
			{ PAD_BUTTON_RIGHT_STICK, BTN_THUMBR, 0 },
		},
		.axes = {
			{ PAD_AXIS_LEFT_X,  ABS_X,  0, BYTE_MAX, 0, 0 },
			{ PAD_AXIS_LEFT_Y,  ABS_Y,  0, BYTE_MAX, 0, 0 },
			{ PAD_AXIS_RIGHT_X, ABS_RX, 0, BYTE_MAX, 0, 0 },
			{ PAD_AXIS_RIGHT_Y, ABS_RY, 0, BYTE_MAX, 0, 0 },
			{ PAD_AXIS_LEFT_TRIGGER,  ABS_Z,  0, BYTE_MAX, 0, 0 },
			{ PAD_AXIS_RIGHT_TRIGGER, ABS_RZ, 0, BYTE_MAX, 0, 0 },
			HAT,
		},
	},
	/* drivers/hid/hid-nintendo.c */
	[PAD_NINTENDO] = { "Perigee Nintendo (virtual) pad", 0x057e, 0x2009, 0x8111,
		.keys = {
			{ PAD_BUTTON_A, BTN_SOUTH, 0 }, { PAD_BUTTON_B, BTN_EAST, 0 },
			{ PAD_BUTTON_X, BTN_WEST, 0 }, { PAD_BUTTON_Y, BTN_NORTH, 0 },
			{ PAD_BUTTON_LEFT_SHOULDER, BTN_TL, 0 },
			{ PAD_BUTTON_RIGHT_SHOULDER, BTN_TR, 0 },
			{ 0, BTN_TL2, 1 }, { 0, BTN_TR2, 2 },
			{ PAD_BUTTON_BACK, BTN_SELECT, 0 }, { PAD_BUTTON_START, BTN_START, 0 },
			{ PAD_BUTTON_GUIDE, BTN_MODE, 0 }, { PAD_BUTTON_MISC, BTN_Z, 0 },
			{ PAD_BUTTON_LEFT_STICK, BTN_THUMBL, 0 },
			{ PAD_BUTTON_RIGHT_STICK, BTN_THUMBR, 0 },
		},
		.axes = { STICKS(250, 500), HAT },
	},
};
/* clang-format on */

const struct pad_shape *pad_shape_of(uint8_t shown) {
	return shown < PADS && shapes[shown].name ? &shapes[shown] : &shapes[PAD_XBOX];
}

size_t pad_event_setup(
		const struct pad_shape *shape, struct uinput_abs_setup out[PAD_EVENT_AXES_MAX]) {
	size_t count = 0;
	for (; count < PAD_EVENT_AXES_MAX && shape->axes[count].max != 0; count++) {
		const struct pad_axis *axis = &shape->axes[count];
		out[count] = (struct uinput_abs_setup){ .code = axis->code,
			.absinfo = { .value = axis->min == 0 && axis->source <= PAD_AXIS_RIGHT_Y
							      ? CENTRE
							      : 0,
					.minimum = axis->min,
					.maximum = axis->max,
					.fuzz = axis->fuzz,
					.flat = axis->flat } };
	}
	return count;
}

/* The client's up is positive, the kernel's is negative. */
static int32_t upside_down(int16_t value) {
	return value == INT16_MIN ? STICK_MAX : -value;
}

static int32_t between(uint32_t buttons, uint32_t low, uint32_t high) {
	return ((buttons & high) != 0) - ((buttons & low) != 0);
}

static int32_t value_of(const struct pad_axis *axis, const pad_state *state) {
	const int32_t values[] = {
		[PAD_AXIS_LEFT_X] = state->left_x,
		[PAD_AXIS_LEFT_Y] = upside_down(state->left_y),
		[PAD_AXIS_RIGHT_X] = state->right_x,
		[PAD_AXIS_RIGHT_Y] = upside_down(state->right_y),
		[PAD_AXIS_LEFT_TRIGGER] = state->left_trigger,
		[PAD_AXIS_RIGHT_TRIGGER] = state->right_trigger,
		[PAD_AXIS_HAT_X] = between(state->buttons, PAD_BUTTON_LEFT, PAD_BUTTON_RIGHT),
		[PAD_AXIS_HAT_Y] = between(state->buttons, PAD_BUTTON_UP, PAD_BUTTON_DOWN),
	};
	int32_t value = values[axis->source];
	bool stick = axis->source <= PAD_AXIS_RIGHT_Y;
	return stick && axis->min == 0 ? (value + STICK_MAX + 1) / (BYTE_MAX + 1) : value;
}

static int32_t is_down(const struct pad_key *key, const pad_state *state) {
	uint8_t pulled = key->trigger == 1   ? state->left_trigger
			 : key->trigger == 2 ? state->right_trigger
					     : 0;
	return (state->buttons & key->button) != 0 || pulled > 0;
}

static void put(struct input_event out[PAD_EVENTS_MAX], size_t *count, uint16_t type, uint16_t code,
		int32_t value) {
	assert(*count < PAD_EVENTS_MAX);
	out[(*count)++] = (struct input_event){ .type = type, .code = code, .value = value };
}

size_t pad_events(const struct pad_shape *shape, const pad_state *was, const pad_state *is,
		struct input_event out[PAD_EVENTS_MAX]) {
	size_t count = 0;
	for (size_t i = 0; i < PAD_EVENT_KEYS_MAX && shape->keys[i].code; i++) {
		int32_t down = is_down(&shape->keys[i], is);
		if (down != is_down(&shape->keys[i], was)) {
			put(out, &count, EV_KEY, shape->keys[i].code, down);
		}
	}
	for (size_t i = 0; i < PAD_EVENT_AXES_MAX && shape->axes[i].max != 0; i++) {
		int32_t value = value_of(&shape->axes[i], is);
		if (value != value_of(&shape->axes[i], was)) {
			put(out, &count, EV_ABS, shape->axes[i].code, value);
		}
	}
	if (count > 0) {
		put(out, &count, EV_SYN, SYN_REPORT, 0);
	}
	return count;
}
