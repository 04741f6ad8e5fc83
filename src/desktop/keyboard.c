/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <linux/input-event-codes.h>

#include "desktop/state.h"

enum {
	REPEAT_RATE_HZ = 25, /* clients repeat by themselves */
	REPEAT_DELAY_MS = 600,
};

static const char *name_or_null(const char *name) {
	return name && name[0] ? name : NULL;
}

static int set_keymap(struct desktop *desktop, const struct desktop_settings *settings) {
	struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_FLAGS);
	if (!context) {
		return -ENOMEM;
	}
	struct xkb_rule_names names = {
		.layout = name_or_null(settings->layout),
		.variant = name_or_null(settings->variant),
		.model = name_or_null(settings->model),
		.options = name_or_null(settings->options),
	};
	struct xkb_keymap *keymap =
			xkb_keymap_new_from_names(context, &names, XKB_KEYMAP_COMPILE_NO_FLAGS);
	xkb_context_unref(context);
	if (!keymap) {
		return -EINVAL;
	}
	bool set = wlr_keyboard_set_keymap(&desktop->keyboard.keyboard, keymap);
	xkb_keymap_unref(keymap);
	return set ? 0 : -EINVAL;
}

static void handle_modifiers(struct wl_listener *listener, void *data) {
	(void)data;
	struct desktop *desktop = wl_container_of(listener, desktop, keyboard_modifiers);
	wlr_seat_keyboard_notify_modifiers(desktop->seat, &desktop->keyboard.keyboard.modifiers);
}

int keyboard_begin(struct desktop *desktop, const struct desktop_settings *settings) {
	compat_keyboard_init(&desktop->keyboard, "perigee-keyboard");
	desktop->keyboard_ready = true;
	int r = set_keymap(desktop, settings);
	if (r < 0) {
		return r;
	}
	wlr_keyboard_set_repeat_info(&desktop->keyboard.keyboard, REPEAT_RATE_HZ, REPEAT_DELAY_MS);
	desktop->keyboard_modifiers.notify = handle_modifiers;
	wl_signal_add(&desktop->keyboard.keyboard.events.modifiers, &desktop->keyboard_modifiers);
	compat_seat_set_keyboard(desktop->seat, &desktop->keyboard);
	return 0;
}

void keyboard_end(struct desktop *desktop) {
	if (desktop->keyboard_ready) {
		compat_keyboard_finish(&desktop->keyboard);
	}
}

void keyboard_key(struct desktop *desktop, uint32_t code, bool down) {
	uint32_t now = desktop_now_ms();
	/* Text may have left the typing keymap in force. */
	if (wlr_seat_get_keyboard(desktop->seat) != &desktop->keyboard.keyboard) {
		compat_seat_set_keyboard(desktop->seat, &desktop->keyboard);
	}
	compat_keyboard_notify(&desktop->keyboard, now, code, down);
	wlr_seat_keyboard_notify_key(desktop->seat, now, code,
			down ? WL_KEYBOARD_KEY_STATE_PRESSED : WL_KEYBOARD_KEY_STATE_RELEASED);
}

static bool is_modifier(uint32_t code) {
	static const uint32_t codes[] = { KEY_LEFTSHIFT, KEY_RIGHTSHIFT, KEY_LEFTCTRL,
		KEY_RIGHTCTRL, KEY_LEFTALT, KEY_RIGHTALT, KEY_LEFTMETA, KEY_RIGHTMETA };
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i] == code) {
			return true;
		}
	}
	return false;
}

/* Soft keyboards send "A" as the key with a shift bit and no shift key: then shift
 * is pressed around it. The bits are those of Moonlight's keyboard packet
 * (moonlight-common-c Limelight.h MODIFIER_). */
void keyboard_key_with(struct desktop *desktop, uint32_t code, uint32_t modifiers) {
	static const struct {
		uint32_t bit, key, held;
	} table[] = {
		{ 0x01, KEY_LEFTSHIFT, WLR_MODIFIER_SHIFT },
		{ 0x02, KEY_LEFTCTRL, WLR_MODIFIER_CTRL },
		{ 0x04, KEY_LEFTALT, WLR_MODIFIER_ALT },
		{ 0x08, KEY_LEFTMETA, WLR_MODIFIER_LOGO },
	};
	uint32_t held = wlr_keyboard_get_modifiers(&desktop->keyboard.keyboard);
	uint32_t pressed = 0;
	for (size_t i = 0; i < ARRAY_LEN(table) && !is_modifier(code); i++) {
		if ((modifiers & table[i].bit) && !(held & table[i].held)) {
			keyboard_key(desktop, table[i].key, true);
			pressed |= table[i].bit;
		}
	}
	keyboard_key(desktop, code, true);
	for (size_t i = ARRAY_LEN(table); i-- > 0;) {
		if (pressed & table[i].bit) {
			keyboard_key(desktop, table[i].key, false);
		}
	}
}

void keyboard_enter(struct desktop *desktop, struct wlr_surface *surface) {
	struct wlr_keyboard *keyboard = &desktop->keyboard.keyboard;
	if (surface) {
		wlr_seat_keyboard_notify_enter(desktop->seat, surface, keyboard->keycodes,
				keyboard->num_keycodes, &keyboard->modifiers);
	} else {
		wlr_seat_keyboard_notify_clear_focus(desktop->seat);
	}
	constraint_follow(desktop);
}
