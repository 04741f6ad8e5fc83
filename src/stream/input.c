/* SPDX-License-Identifier: MIT */
#include "stream/input.h"

#include <errno.h>
#include <linux/input-event-codes.h>

#include "proto/input.h"
#include "proto/keycode.h"

static const uint16_t buttons[] = {
	[INPUT_BUTTON_LEFT] = BTN_LEFT,
	[INPUT_BUTTON_MIDDLE] = BTN_MIDDLE,
	[INPUT_BUTTON_RIGHT] = BTN_RIGHT,
	[INPUT_BUTTON_X1] = BTN_SIDE,
	[INPUT_BUTTON_X2] = BTN_EXTRA,
};

/* The decoder has checked that it is one well-formed code point. */
static uint32_t code_point(const char *bytes, size_t len) {
	const uint8_t *b = (const uint8_t *)bytes;
	static const uint8_t lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code = b[0] & lead[len];
	for (size_t i = 1; i < len; i++) {
		code = code << 6 | (b[i] & 0x3f);
	}
	return code;
}

static int key(const struct input_event *event, struct ipc_message *out) {
	out->input.kind = event->key.down ? INPUT_KEY_DOWN : INPUT_KEY_UP;
	out->input.code = keycode_from_vk(event->key.vk);
	out->input.value = event->key.modifiers;
	return out->input.code ? 0 : -ENOTSUP;
}

static int button(const struct input_event *event, struct ipc_message *out) {
	if (event->button.button >= ARRAY_LEN(buttons) || !buttons[event->button.button]) {
		return -ENOTSUP;
	}
	out->input.kind = event->button.down ? INPUT_BUTTON_DOWN : INPUT_BUTTON_UP;
	out->input.code = buttons[event->button.button];
	return 0;
}

static int move(const struct input_event *event, struct ipc_message *out) {
	out->input.kind = INPUT_MOTION;
	out->input.x = event->move.dx;
	out->input.y = event->move.dy;
	return 0;
}

static int position(const struct input_event *event, struct ipc_message *out) {
	out->input.kind = INPUT_POSITION;
	out->input.x = event->position.x;
	out->input.y = event->position.y;
	out->input.w = event->position.max_x + 1;
	out->input.h = event->position.max_y + 1;
	return 0;
}

static int scroll(const struct input_event *event, struct ipc_message *out) {
	out->input.kind = event->kind == INPUT_SCROLL_VERTICAL ? INPUT_SCROLL : INPUT_SCROLL_SIDE;
	out->input.value = event->scroll;
	return 0;
}

static int text(const struct input_event *event, struct ipc_message *out) {
	out->input.kind = INPUT_TEXT;
	out->input.code = code_point(event->text.bytes, event->text.len);
	return 0;
}

static int (*const translate[])(const struct input_event *event, struct ipc_message *out) = {
	[INPUT_KEY] = key,
	[INPUT_MOUSE_MOVE] = move,
	[INPUT_MOUSE_POSITION] = position,
	[INPUT_MOUSE_BUTTON] = button,
	[INPUT_SCROLL_VERTICAL] = scroll,
	[INPUT_SCROLL_HORIZONTAL] = scroll,
	[INPUT_CODE_POINT] = text,
};

int input_message(const struct input_event *event, uint64_t sequence, uint64_t received_ns,
		struct ipc_message *out) {
	if ((size_t)event->kind >= ARRAY_LEN(translate) || !translate[event->kind]) {
		return -ENOTSUP;
	}
	struct ipc_message message = {
		.kind = IPC_INPUT,
		.input = { .sequence = sequence, .received_ns = received_ns },
	};
	int rc = translate[event->kind](event, &message);
	if (rc == 0) {
		*out = message;
	}
	return rc;
}
