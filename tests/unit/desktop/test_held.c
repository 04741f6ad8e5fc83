/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "desktop/held.h"

static struct held_press key(uint32_t viewer, uint32_t code) {
	return (struct held_press){ .viewer = viewer, .code = code, .kind = HELD_KEY };
}

static void a_key_goes_down_with_the_first_and_up_with_the_last_viewer(void **state) {
	(void)state;
	struct held held = { 0 };
	assert_true(held_press(&held, key(1, 30)));
	assert_false(held_press(&held, key(2, 30)));
	assert_false(held_release(&held, key(1, 30)));
	assert_true(held_release(&held, key(2, 30)));
}

static void a_repeated_press_and_a_stray_release_are_not_sent_on(void **state) {
	(void)state;
	struct held held = { 0 };
	assert_true(held_press(&held, key(1, 30)));
	assert_false(held_press(&held, key(1, 30)));
	assert_true(held_release(&held, key(1, 30)));
	assert_false(held_release(&held, key(1, 30)));
}

static void a_button_is_not_the_key_of_the_same_code(void **state) {
	(void)state;
	struct held held = { 0 };
	struct held_press button = { .viewer = 1, .code = 30, .kind = HELD_BUTTON };
	assert_true(held_press(&held, key(1, 30)));
	assert_true(held_press(&held, button));
	assert_true(held_release(&held, button));
	assert_true(held_release(&held, key(1, 30)));
}

static void a_leaving_viewer_lets_go_of_its_own_only(void **state) {
	(void)state;
	struct held held = { 0 };
	held_press(&held, key(1, 30));
	held_press(&held, key(1, 31));
	held_press(&held, key(1, 32));
	held_press(&held, key(2, 31));
	struct held_press press;
	unsigned let_go = 0;
	while (held_next(&held, 1, &press)) {
		assert_true(press.code == 30 || press.code == 32);
		let_go++;
	}
	assert_int_equal(let_go, 2);
	assert_int_equal(held.count, 1);
	assert_true(held_release(&held, key(2, 31)));
}

static void too_many_presses_are_refused(void **state) {
	(void)state;
	struct held held = { 0 };
	for (uint32_t code = 0; code < HELD_MAX; code++) {
		assert_true(held_press(&held, key(1, code)));
	}
	assert_false(held_press(&held, key(1, HELD_MAX)));
	assert_false(held_release(&held, key(1, HELD_MAX)));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_key_goes_down_with_the_first_and_up_with_the_last_viewer),
		UNIT(a_repeated_press_and_a_stray_release_are_not_sent_on),
		UNIT(a_button_is_not_the_key_of_the_same_code),
		UNIT(a_leaving_viewer_lets_go_of_its_own_only),
		UNIT(too_many_presses_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
