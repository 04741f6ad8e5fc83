/* SPDX-License-Identifier: MIT */
#include "stream/likes.h"

enum {
	AS_IT_IS = 1000,
};

struct likes likes_begin(void) {
	return (struct likes){ PERMIT_ALL, AS_IT_IS, AS_IT_IS, AS_IT_IS, 0, 0, 0, 0 };
}

void likes_take(struct likes *likes, const struct ipc_message *message) {
	const __typeof__(message->stream_client) *client = &message->stream_client;
	likes->permissions = client->permissions;
	likes->mouse_milli = client->mouse_milli ? client->mouse_milli : AS_IT_IS;
	likes->scroll_milli = client->scroll_milli ? client->scroll_milli : AS_IT_IS;
	likes->scroll_side_milli = client->scroll_side_milli ? client->scroll_side_milli : AS_IT_IS;
	likes->rest_x = likes->rest_y = likes->rest_scroll = likes->rest_scroll_side = 0;
}

static const uint32_t needed[INPUT_KINDS] = {
	[INPUT_KEY_DOWN] = PERMIT_KEYBOARD,
	[INPUT_TEXT] = PERMIT_KEYBOARD,
	[INPUT_MOTION] = PERMIT_MOUSE,
	[INPUT_POSITION] = PERMIT_MOUSE,
	[INPUT_BUTTON_DOWN] = PERMIT_MOUSE,
	[INPUT_SCROLL] = PERMIT_MOUSE,
	[INPUT_SCROLL_SIDE] = PERMIT_MOUSE,
};

static int32_t scale(int32_t value, uint32_t milli, int32_t *rest) {
	int64_t wide = (int64_t)value * milli + *rest;
	int64_t whole = wide / AS_IT_IS;
	*rest = (int32_t)(wide % AS_IT_IS);
	if (whole > INT16_MAX || whole < INT16_MIN) {
		whole = whole < 0 ? INT16_MIN : INT16_MAX;
	}
	return (int32_t)whole;
}

bool likes_apply(struct likes *likes, struct ipc_message *message) {
	__typeof__(message->input) *input = &message->input;
	if (input->kind < INPUT_KINDS && (needed[input->kind] & ~likes->permissions)) {
		return false;
	}
	if (input->kind == INPUT_MOTION && likes->mouse_milli != AS_IT_IS) {
		input->x = scale(input->x, likes->mouse_milli, &likes->rest_x);
		input->y = scale(input->y, likes->mouse_milli, &likes->rest_y);
	} else if (input->kind == INPUT_SCROLL && likes->scroll_milli != AS_IT_IS) {
		input->value = scale(input->value, likes->scroll_milli, &likes->rest_scroll);
	} else if (input->kind == INPUT_SCROLL_SIDE && likes->scroll_side_milli != AS_IT_IS) {
		input->value = scale(
				input->value, likes->scroll_side_milli, &likes->rest_scroll_side);
	}
	return true;
}
