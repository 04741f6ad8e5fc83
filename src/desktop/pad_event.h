/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_EVENT_H
#define DESKTOP_PAD_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <linux/uinput.h>

#include "ipc/message.h"

/* What a gamepad is to the kernel's input layer: its name, its keys and axes as the
 * kernel's own drivers for the real thing report them, and the events that a change
 * of its state makes. Pure. */
enum {
	PAD_EVENT_KEYS_MAX = 16,
	PAD_EVENT_AXES_MAX = 8,
	PAD_EVENTS_MAX = 32, /* of one change, with the SYN */
};

typedef __typeof__(((struct ipc_message *)NULL)->pad_state) pad_state;

enum pad_axis_source {
	PAD_AXIS_LEFT_X,
	PAD_AXIS_LEFT_Y,
	PAD_AXIS_RIGHT_X,
	PAD_AXIS_RIGHT_Y,
	PAD_AXIS_LEFT_TRIGGER,
	PAD_AXIS_RIGHT_TRIGGER,
	PAD_AXIS_HAT_X,
	PAD_AXIS_HAT_Y,
};

struct pad_key {
	uint32_t button; /* of pad_state.buttons; 0: of a trigger */
	uint16_t code;
	uint8_t trigger; /* 1 left, 2 right */
};

struct pad_axis {
	enum pad_axis_source source;
	uint16_t code;
	int32_t min, max, fuzz, flat;
};

struct pad_shape {
	const char *name;
	uint16_t vendor, product, version;
	struct pad_key keys[PAD_EVENT_KEYS_MAX];  /* ends at code 0 */
	struct pad_axis axes[PAD_EVENT_AXES_MAX]; /* ends at max 0 */
};

/* Never NULL: PAD_AUTO and what is unknown are an Xbox pad. */
const struct pad_shape *pad_shape_of(uint8_t shown);

/* The ranges of its axes; how many. */
size_t pad_event_setup(
		const struct pad_shape *shape, struct uinput_abs_setup out[PAD_EVENT_AXES_MAX]);

/* What changed, ended by SYN_REPORT; 0 when nothing did. */
size_t pad_events(const struct pad_shape *shape, const pad_state *was, const pad_state *is,
		struct input_event out[PAD_EVENTS_MAX]);

#endif
