/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <linux/input-event-codes.h>
#include <string.h>

#include "proto/input.h"
#include "stream/input.h"

static struct ipc_message translated(struct input_event event) {
	struct ipc_message message;
	assert_int_equal(input_message(&event, 42, 1234567, &message), 0);
	assert_int_equal(message.kind, IPC_INPUT);
	assert_int_equal(message.input.sequence, 42);
	assert_int_equal(message.input.received_ns, 1234567);
	return message;
}

static void keys_become_evdev_codes(void **state) {
	(void)state;
	struct ipc_message message = translated((struct input_event){
			.kind = INPUT_KEY, .key = { .vk = 0x41, .modifiers = 3, .down = true } });
	assert_int_equal(message.input.kind, INPUT_KEY_DOWN);
	assert_int_equal(message.input.code, KEY_A);
	assert_int_equal(message.input.value, 3);
	message = translated((struct input_event){ .kind = INPUT_KEY, .key = { .vk = 0xa1 } });
	assert_int_equal(message.input.kind, INPUT_KEY_UP);
	assert_int_equal(message.input.code, KEY_RIGHTSHIFT);
}

static void buttons_two_and_three_are_middle_and_right(void **state) {
	(void)state;
	static const uint32_t codes[] = { 0, BTN_LEFT, BTN_MIDDLE, BTN_RIGHT, BTN_SIDE, BTN_EXTRA };
	for (uint8_t i = 1; i <= 5; i++) {
		struct ipc_message message =
				translated((struct input_event){ .kind = INPUT_MOUSE_BUTTON,
						.button = { .button = i, .down = i % 2 } });
		assert_int_equal(message.input.code, codes[i]);
		assert_int_equal(message.input.kind, i % 2 ? INPUT_BUTTON_DOWN : INPUT_BUTTON_UP);
	}
}

static void positions_carry_the_reference_size(void **state) {
	(void)state;
	struct ipc_message message = translated((struct input_event){ .kind = INPUT_MOUSE_POSITION,
			.position = { .x = 7, .y = 9, .max_x = 1919, .max_y = 1079 } });
	assert_int_equal(message.input.kind, INPUT_POSITION);
	assert_int_equal(message.input.x, 7);
	assert_int_equal(message.input.y, 9);
	assert_int_equal(message.input.w, 1920);
	assert_int_equal(message.input.h, 1080);
}

static void motion_and_scrolling_stay_what_they_are(void **state) {
	(void)state;
	struct ipc_message message = translated((struct input_event){
			.kind = INPUT_MOUSE_MOVE, .move = { .dx = -3, .dy = 4 } });
	assert_int_equal(message.input.kind, INPUT_MOTION);
	assert_int_equal(message.input.x, -3);
	assert_int_equal(message.input.y, 4);
	message = translated((struct input_event){ .kind = INPUT_SCROLL_VERTICAL, .scroll = -13 });
	assert_int_equal(message.input.kind, INPUT_SCROLL);
	assert_int_equal(message.input.value, -13);
	message = translated(
			(struct input_event){ .kind = INPUT_SCROLL_HORIZONTAL, .scroll = 120 });
	assert_int_equal(message.input.kind, INPUT_SCROLL_SIDE);
	assert_int_equal(message.input.value, 120);
}

static void text_becomes_one_code_point(void **state) {
	(void)state;
	static const struct {
		const char *bytes;
		uint32_t code;
	} texts[] = {
		{ "a", 'a' },
		{ "\xc3\xa9", 0xe9 },
		{ "\xe2\x82\xac", 0x20ac },
		{ "\xf0\x9f\x98\x80", 0x1f600 },
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct input_event event = { .kind = INPUT_CODE_POINT };
		event.text.len = (uint8_t)strlen(texts[i].bytes);
		memcpy(event.text.bytes, texts[i].bytes, event.text.len);
		struct ipc_message message = translated(event);
		assert_int_equal(message.input.kind, INPUT_TEXT);
		assert_int_equal(message.input.code, texts[i].code);
	}
}

static void what_no_desktop_takes_is_skipped(void **state) {
	(void)state;
	struct ipc_message message;
	struct input_event pad = { .kind = INPUT_CONTROLLER };
	assert_int_equal(input_message(&pad, 1, 1, &message), -ENOTSUP);
	struct input_event no_key = { .kind = INPUT_KEY, .key = { .vk = 0xff } };
	assert_int_equal(input_message(&no_key, 1, 1, &message), -ENOTSUP);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(keys_become_evdev_codes),
		UNIT(buttons_two_and_three_are_middle_and_right),
		UNIT(positions_carry_the_reference_size),
		UNIT(motion_and_scrolling_stay_what_they_are),
		UNIT(text_becomes_one_code_point),
		UNIT(what_no_desktop_takes_is_skipped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
