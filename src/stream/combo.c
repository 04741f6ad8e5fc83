/* SPDX-License-Identifier: MIT */
#include "stream/combo.h"

#include <linux/input-event-codes.h>

#include "proto/keycode.h"

static const uint32_t pad_buttons = INPUT_PAD_START | INPUT_PAD_UP | INPUT_PAD_RIGHT_SHOULDER;
static const uint8_t all_modifiers = INPUT_CTRL | INPUT_ALT | INPUT_SHIFT;

static const struct {
	uint16_t code;
	uint8_t modifier;
} modifiers[] = {
	{ KEY_LEFTCTRL, INPUT_CTRL },
	{ KEY_RIGHTCTRL, INPUT_CTRL },
	{ KEY_LEFTALT, INPUT_ALT },
	{ KEY_RIGHTALT, INPUT_ALT },
	{ KEY_LEFTSHIFT, INPUT_SHIFT },
	{ KEY_RIGHTSHIFT, INPUT_SHIFT },
};

/* By what the client says is held, which a stream that takes over needs, or by what went
 * down, for clients that do not say. */
static uint8_t held_modifiers(const struct combo *combo, const struct input_event *event) {
	uint8_t held = event->key.modifiers;
	for (size_t i = 0; i < ARRAY_LEN(modifiers); i++) {
		held |= combo->modifiers >> i & 1 ? modifiers[i].modifier : 0;
	}
	return held;
}

static unsigned take_key(struct combo *combo, const struct input_event *event) {
	uint16_t code = keycode_from_vk(event->key.vk);
	bool down = event->key.down;
	for (size_t i = 0; i < ARRAY_LEN(modifiers); i++) {
		if (modifiers[i].code == code) {
			combo->modifiers &= (uint8_t) ~(1u << i);
			combo->modifiers |= (uint8_t)((unsigned)down << i);
		}
	}
	if (code != KEY_W) {
		return 0;
	}
	if (combo->held) {
		combo->held = down;
		return COMBO_KEEPS;
	}
	combo->held = down && (held_modifiers(combo, event) & all_modifiers) == all_modifiers;
	return combo->held ? COMBO_ASKS | COMBO_KEEPS : 0;
}

static unsigned take_pad(struct combo *combo, struct input_event *event) {
	uint32_t *kept_back = &combo->kept_back[event->controller.number];
	uint32_t buttons = event->controller.buttons;
	bool plugged = event->controller.active >> event->controller.number & 1;
	bool asks = plugged && !*kept_back && (buttons & pad_buttons) == pad_buttons;
	*kept_back = asks ? pad_buttons : plugged ? *kept_back & buttons : 0;
	event->controller.buttons &= ~*kept_back;
	return asks ? COMBO_ASKS : 0;
}

unsigned combo_take(struct combo *combo, struct input_event *event) {
	if (event->kind == INPUT_KEY) {
		return take_key(combo, event);
	}
	if (event->kind == INPUT_CONTROLLER && event->controller.number < INPUT_CONTROLLERS_MAX) {
		return take_pad(combo, event);
	}
	return 0;
}
