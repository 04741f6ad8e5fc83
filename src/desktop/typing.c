/* SPDX-License-Identifier: MIT */
/* Text by code points, which no key of the session's layout may have. A client with
 * an enabled text-input gets the text itself; for all others there is a second
 * keyboard whose keymap is made of the characters that were typed. It stays in force
 * until the next real key, because X11 clients look a key up some time after it. */
#include <stdio.h>
#include <string.h>

#include "desktop/state.h"

enum {
	FIRST_CODE = 2, /* evdev code of the first character's key */
	XKB_OFFSET = 8,
	POINT_MAX = 0x10ffff,
	KEYMAP_MAX = TYPIST_KEYS * 64 + 1024,
};

static bool is_text(uint32_t point) {
	return point >= 0x20 && point != 0x7f && point <= POINT_MAX &&
	       !(point >= 0xd800 && point <= 0xdfff);
}

static size_t to_utf8(uint32_t point, char out[5]) {
	size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len; i-- > 1;) {
		out[i] = (char)(0x80 | (point & 0x3f));
		point >>= 6;
	}
	out[0] = (char)(lead[len] | point);
	out[len] = '\0';
	return len;
}

static struct xkb_keymap *compile(const struct typist *typist) {
	char text[KEYMAP_MAX];
	FILE *file = fmemopen(text, sizeof(text), "w");
	if (!file) {
		return NULL;
	}
	fprintf(file, "xkb_keymap { xkb_keycodes \"t\" { minimum = 8; maximum = 255;\n");
	for (unsigned i = 0; i < typist->count; i++) {
		fprintf(file, "<T%u> = %u;\n", i, i + FIRST_CODE + XKB_OFFSET);
	}
	fprintf(file, "}; xkb_types \"t\" { include \"complete\" };"
		      "xkb_compatibility \"t\" { include \"complete\" };\n"
		      "xkb_symbols \"t\" {\n");
	for (unsigned i = 0; i < typist->count; i++) {
		fprintf(file, "key <T%u> { [ U%04X ] };\n", i, typist->points[i]);
	}
	fprintf(file, "}; };\n");
	bool whole = fflush(file) == 0 && !ferror(file);
	fclose(file);
	struct xkb_context *context = whole ? xkb_context_new(XKB_CONTEXT_NO_FLAGS) : NULL;
	if (!context) {
		return NULL;
	}
	struct xkb_keymap *keymap = xkb_keymap_new_from_string(
			context, text, XKB_KEYMAP_FORMAT_TEXT_V1, XKB_KEYMAP_COMPILE_NO_FLAGS);
	xkb_context_unref(context);
	return keymap;
}

/* The key of a code point; teaches it to the keymap when it is new. */
static int key_for(struct typist *typist, uint32_t point) {
	for (unsigned i = 0; i < typist->count; i++) {
		if (typist->points[i] == point) {
			return (int)i;
		}
	}
	unsigned at = typist->count;
	if (at < TYPIST_KEYS) {
		typist->count++;
	} else {
		at = typist->oldest;
		typist->oldest = (typist->oldest + 1) % TYPIST_KEYS;
	}
	typist->points[at] = point;
	struct xkb_keymap *keymap = compile(typist);
	bool set = keymap && wlr_keyboard_set_keymap(&typist->keyboard.keyboard, keymap);
	xkb_keymap_unref(keymap);
	return set ? (int)at : -1;
}

static bool commit_text(struct desktop *desktop, uint32_t point) {
	struct wlr_text_input_v3 *input;
	if (!desktop->text_inputs) {
		return false;
	}
	wl_list_for_each(input, &desktop->text_inputs->text_inputs, link) {
		if (input->focused_surface && input->current_enabled &&
				input->seat == desktop->seat) {
			char text[5];
			to_utf8(point, text);
			wlr_text_input_v3_send_commit_string(input, text);
			wlr_text_input_v3_send_done(input);
			return true;
		}
	}
	return false;
}

void typing_point(struct desktop *desktop, uint32_t point) {
	if (!is_text(point) || commit_text(desktop, point)) {
		return;
	}
	struct typist *typist = &desktop->typist;
	int key = key_for(typist, point);
	if (key < 0) {
		return;
	}
	struct wlr_keyboard *keyboard = &typist->keyboard.keyboard;
	if (wlr_seat_get_keyboard(desktop->seat) != keyboard) {
		compat_seat_set_keyboard(desktop->seat, &typist->keyboard);
		wlr_seat_keyboard_notify_modifiers(desktop->seat, &keyboard->modifiers);
	}
	uint32_t code = (uint32_t)key + FIRST_CODE;
	uint32_t now = desktop_now_ms();
	for (int down = 1; down >= 0; down--) {
		compat_keyboard_notify(&typist->keyboard, now, code, down);
		wlr_seat_keyboard_notify_key(desktop->seat, now, code,
				down ? WL_KEYBOARD_KEY_STATE_PRESSED
				     : WL_KEYBOARD_KEY_STATE_RELEASED);
	}
}

/* text-input objects are told where the keyboard is. */
static void place(struct wlr_text_input_v3 *input, struct wlr_surface *surface) {
	bool ours = surface && wl_resource_get_client(input->resource) ==
					       wl_resource_get_client(surface->resource);
	if (input->focused_surface && input->focused_surface != surface) {
		wlr_text_input_v3_send_leave(input);
	}
	if (ours && !input->focused_surface) {
		wlr_text_input_v3_send_enter(input, surface);
	}
}

static void handle_keyboard_focus(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, keyboard_focus);
	struct wlr_seat_keyboard_focus_change_event *event = data;
	struct wlr_text_input_v3 *input;
	wl_list_for_each(input, &desktop->text_inputs->text_inputs, link) {
		place(input, event->new_surface);
	}
}

static void handle_new_text_input(struct wl_listener *listener, void *data) {
	struct desktop *desktop = wl_container_of(listener, desktop, new_text_input);
	place(data, desktop->seat->keyboard_state.focused_surface);
}

void typing_begin(struct desktop *desktop) {
	compat_keyboard_init(&desktop->typist.keyboard, "perigee-typing");
	desktop->typist.ready = true;
	desktop->text_inputs = wlr_text_input_manager_v3_create(desktop->display);
	if (!desktop->text_inputs) {
		return;
	}
	desktop->keyboard_focus.notify = handle_keyboard_focus;
	wl_signal_add(&desktop->seat->keyboard_state.events.focus_change, &desktop->keyboard_focus);
	desktop->new_text_input.notify = handle_new_text_input;
	wl_signal_add(&desktop->text_inputs->events.text_input, &desktop->new_text_input);
}

void typing_end(struct desktop *desktop) {
	if (desktop->typist.ready) {
		compat_keyboard_finish(&desktop->typist.keyboard);
	}
}
