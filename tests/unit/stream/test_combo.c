/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "stream/combo.h"

enum {
	VK_W = 0x57,
	VK_LEFT_SHIFT = 0xa0,
	VK_RIGHT_SHIFT = 0xa1,
	VK_LEFT_CTRL = 0xa2,
	VK_RIGHT_CTRL = 0xa3,
	VK_LEFT_ALT = 0xa4,
};

static unsigned key_with(struct combo *combo, uint8_t vk, bool down, uint8_t modifiers) {
	struct input_event event = { .kind = INPUT_KEY,
		.key = { .vk = vk, .modifiers = modifiers, .down = down } };
	return combo_take(combo, &event);
}

static unsigned key(struct combo *combo, uint8_t vk, bool down) {
	return key_with(combo, vk, down, 0);
}

static unsigned pad(struct combo *combo, uint8_t number, uint32_t buttons, uint32_t *passed) {
	struct input_event event = { .kind = INPUT_CONTROLLER,
		.controller = { .number = number, .active = 0xffff, .buttons = buttons } };
	unsigned said = combo_take(combo, &event);
	*passed = event.controller.buttons;
	return said;
}

static void hold_modifiers(struct combo *combo) {
	assert_int_equal(key(combo, VK_LEFT_CTRL, true), 0);
	assert_int_equal(key(combo, VK_LEFT_ALT, true), 0);
	assert_int_equal(key(combo, VK_RIGHT_SHIFT, true), 0);
}

static void it_asks_once_per_press(void **state) {
	(void)state;
	struct combo combo = { 0 };
	hold_modifiers(&combo);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(key(&combo, VK_W, true), COMBO_ASKS | COMBO_KEEPS);
		assert_int_equal(key(&combo, VK_W, true), COMBO_KEEPS); /* a repeat */
		assert_int_equal(key(&combo, VK_W, false), COMBO_KEEPS);
	}
}

static void every_modifier_is_needed(void **state) {
	(void)state;
	static const uint8_t keys[] = { VK_LEFT_CTRL, VK_LEFT_ALT, VK_RIGHT_SHIFT };
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct combo combo = { 0 };
		hold_modifiers(&combo);
		assert_int_equal(key(&combo, keys[i], false), 0);
		assert_int_equal(key(&combo, VK_W, true), 0);
		assert_int_equal(key(&combo, VK_W, false), 0);
	}
}

static void either_side_counts_while_one_is_down(void **state) {
	(void)state;
	struct combo combo = { 0 };
	hold_modifiers(&combo);
	key(&combo, VK_RIGHT_CTRL, true);
	key(&combo, VK_LEFT_CTRL, false);
	assert_int_equal(key(&combo, VK_W, true), COMBO_ASKS | COMBO_KEEPS);
}

/* A stream that has taken over saw no key go down. */
static void what_the_client_says_is_held_counts(void **state) {
	(void)state;
	struct combo combo = { 0 };
	uint8_t said = INPUT_CTRL | INPUT_ALT | INPUT_SHIFT;
	assert_int_equal(key_with(&combo, VK_W, true, said), COMBO_ASKS | COMBO_KEEPS);
	/* Modifiers go up first: the W is still kept. */
	assert_int_equal(key(&combo, VK_LEFT_CTRL, false), 0);
	assert_int_equal(key(&combo, VK_W, false), COMBO_KEEPS);
	assert_int_equal(key(&combo, VK_W, true), 0);
}

static void a_w_that_was_down_before_does_not_ask(void **state) {
	(void)state;
	struct combo combo = { 0 };
	assert_int_equal(key(&combo, VK_W, true), 0);
	hold_modifiers(&combo);
	assert_int_equal(key(&combo, VK_W, false), 0);
}

static void a_pad_asks_once_and_its_buttons_stay_behind(void **state) {
	(void)state;
	const uint32_t all = INPUT_PAD_START | INPUT_PAD_UP | INPUT_PAD_RIGHT_SHOULDER;
	struct combo combo = { 0 };
	uint32_t passed;
	assert_int_equal(pad(&combo, 3, INPUT_PAD_START | INPUT_PAD_UP, &passed), 0);
	assert_int_equal(passed, INPUT_PAD_START | INPUT_PAD_UP);
	assert_int_equal(pad(&combo, 3, all | INPUT_PAD_A, &passed), COMBO_ASKS);
	assert_int_equal(passed, INPUT_PAD_A);
	assert_int_equal(pad(&combo, 3, all, &passed), 0);
	assert_int_equal(passed, 0);
	/* One is let go and pressed again while the others are held: it goes on, and asks nothing.
	 */
	assert_int_equal(pad(&combo, 3, INPUT_PAD_START | INPUT_PAD_UP, &passed), 0);
	assert_int_equal(passed, 0);
	assert_int_equal(pad(&combo, 3, all, &passed), 0);
	assert_int_equal(passed, INPUT_PAD_RIGHT_SHOULDER);
	assert_int_equal(pad(&combo, 3, 0, &passed), 0);
	assert_int_equal(pad(&combo, 3, all, &passed), COMBO_ASKS);
}

static void pads_do_not_add_up(void **state) {
	(void)state;
	struct combo combo = { 0 };
	uint32_t passed;
	assert_int_equal(pad(&combo, 0, INPUT_PAD_START | INPUT_PAD_UP, &passed), 0);
	assert_int_equal(pad(&combo, 1, INPUT_PAD_RIGHT_SHOULDER, &passed), 0);
}

static void a_pad_that_was_unplugged_keeps_nothing_back(void **state) {
	(void)state;
	const uint32_t all = INPUT_PAD_START | INPUT_PAD_UP | INPUT_PAD_RIGHT_SHOULDER;
	struct combo combo = { 0 };
	uint32_t passed;
	assert_int_equal(pad(&combo, 0, all, &passed), COMBO_ASKS);
	struct input_event gone = { .kind = INPUT_CONTROLLER, .controller = { .buttons = all } };
	assert_int_equal(combo_take(&combo, &gone), 0);
	assert_int_equal(pad(&combo, 0, all, &passed), COMBO_ASKS);
}

static void other_events_are_no_business_of_it(void **state) {
	(void)state;
	struct combo combo = { 0 };
	struct input_event event = { .kind = INPUT_MOUSE_BUTTON };
	assert_int_equal(combo_take(&combo, &event), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(it_asks_once_per_press),
		UNIT(every_modifier_is_needed),
		UNIT(either_side_counts_while_one_is_down),
		UNIT(what_the_client_says_is_held_counts),
		UNIT(a_w_that_was_down_before_does_not_ask),
		UNIT(a_pad_asks_once_and_its_buttons_stay_behind),
		UNIT(pads_do_not_add_up),
		UNIT(a_pad_that_was_unplugged_keeps_nothing_back),
		UNIT(other_events_are_no_business_of_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
