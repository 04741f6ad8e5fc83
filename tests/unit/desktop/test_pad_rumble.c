/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "desktop/pad_rumble.h"

static struct ff_effect shake(int16_t id, uint16_t strong, uint16_t weak, uint16_t length_ms) {
	return (struct ff_effect){ .type = FF_RUMBLE,
		.id = id,
		.replay = { .length = length_ms },
		.u.rumble = { strong, weak } };
}

static void level(struct pad_rumble *rumble, uint64_t now_ms, uint16_t strong, uint16_t weak) {
	uint16_t is_strong, is_weak;
	pad_rumble_level(rumble, now_ms, &is_strong, &is_weak);
	assert_int_equal(is_strong, strong);
	assert_int_equal(is_weak, weak);
}

static void an_effect_lasts_as_long_as_it_says(void **state) {
	(void)state;
	struct pad_rumble rumble;
	pad_rumble_init(&rumble);
	struct ff_effect effect = shake(0, 0x8000, 0x4000, 100);
	assert_int_equal(pad_rumble_put(&rumble, &effect), 0);
	level(&rumble, 1000, 0, 0); /* nobody plays it */
	assert_int_equal(pad_rumble_deadline(&rumble, 1000), 0);
	pad_rumble_event(&rumble, 0, 2, 1000);
	level(&rumble, 1000, 0x8000, 0x4000);
	assert_int_equal(pad_rumble_deadline(&rumble, 1000), 1200);
	level(&rumble, 1199, 0x8000, 0x4000);
	level(&rumble, 1200, 0, 0);
	assert_int_equal(pad_rumble_deadline(&rumble, 1200), 0);
}

static void one_without_a_length_lasts_until_it_is_stopped(void **state) {
	(void)state;
	struct pad_rumble rumble;
	pad_rumble_init(&rumble);
	struct ff_effect effect = shake(3, 7, 9, 0);
	assert_int_equal(pad_rumble_put(&rumble, &effect), 0);
	pad_rumble_event(&rumble, 3, 1, 10);
	assert_int_equal(pad_rumble_deadline(&rumble, 10), 0);
	level(&rumble, 10000000, 7, 9);
	pad_rumble_event(&rumble, 3, 0, 10000000);
	level(&rumble, 10000000, 0, 0);
	pad_rumble_event(&rumble, 3, 1, 1);
	assert_int_equal(pad_rumble_erase(&rumble, 3), 0);
	level(&rumble, 2, 0, 0);
	assert_int_equal(pad_rumble_erase(&rumble, 3), -EINVAL);
}

static void several_are_as_strong_as_they_are_together(void **state) {
	(void)state;
	struct pad_rumble rumble;
	pad_rumble_init(&rumble);
	struct ff_effect one = shake(0, 0xc000, 10, 100), other = shake(1, 0xc000, 20, 50);
	other.replay.delay = 30;
	assert_int_equal(pad_rumble_put(&rumble, &one), 0);
	assert_int_equal(pad_rumble_put(&rumble, &other), 0);
	pad_rumble_event(&rumble, 0, 1, 0);
	pad_rumble_event(&rumble, 1, 1, 0);
	assert_int_equal(pad_rumble_deadline(&rumble, 0), 30);
	level(&rumble, 0, 0xc000, 10);
	level(&rumble, 30, 0xffff, 30);
	assert_int_equal(pad_rumble_deadline(&rumble, 30), 80);
	pad_rumble_event(&rumble, FF_GAIN, 0x7fff, 30);
	level(&rumble, 30, 0x7fff, 14);
	pad_rumble_event(&rumble, FF_GAIN, -5, 30);
	level(&rumble, 30, 0, 0);
}

static void what_no_motor_does_is_refused(void **state) {
	(void)state;
	struct pad_rumble rumble;
	pad_rumble_init(&rumble);
	struct ff_effect effect = shake(PAD_RUMBLE_EFFECTS, 1, 1, 1);
	assert_int_equal(pad_rumble_put(&rumble, &effect), -EINVAL);
	effect.id = -1;
	assert_int_equal(pad_rumble_put(&rumble, &effect), -EINVAL);
	effect = (struct ff_effect){ .type = FF_SPRING };
	assert_int_equal(pad_rumble_put(&rumble, &effect), -EINVAL);
	pad_rumble_event(&rumble, 0, 1, 0); /* not there */
	pad_rumble_event(&rumble, FF_AUTOCENTER, 1, 0);
	level(&rumble, 0, 0, 0);
	effect = (struct ff_effect){ .type = FF_PERIODIC, .u.periodic.magnitude = -0x7fff };
	assert_int_equal(pad_rumble_put(&rumble, &effect), 0);
	pad_rumble_event(&rumble, 0, 1, 0);
	level(&rumble, 0, 0xfffe, 0xfffe);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_effect_lasts_as_long_as_it_says),
		cmocka_unit_test(one_without_a_length_lasts_until_it_is_stopped),
		cmocka_unit_test(several_are_as_strong_as_they_are_together),
		cmocka_unit_test(what_no_motor_does_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
