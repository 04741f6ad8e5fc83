/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "desktop/pad_event.h"
#include "ipc/pad.h"

static void each_shape_is_what_the_kernel_knows_it_as(void **state) {
	(void)state;
	static const struct {
		uint8_t shown;
		uint16_t vendor, product;
		size_t keys, axes;
	} rows[] = {
		{ PAD_XBOX, 0x045e, 0x02ea, 11, 8 },
		{ PAD_PS, 0x054c, 0x0ce6, 13, 8 },
		{ PAD_NINTENDO, 0x057e, 0x2009, 14, 6 },
		{ PAD_AUTO, 0x045e, 0x02ea, 11, 8 },
		{ 200, 0x045e, 0x02ea, 11, 8 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct pad_shape *shape = pad_shape_of(rows[i].shown);
		assert_int_equal(shape->vendor, rows[i].vendor);
		assert_int_equal(shape->product, rows[i].product);
		size_t keys = 0;
		while (keys < PAD_EVENT_KEYS_MAX && shape->keys[keys].code) {
			keys++;
		}
		assert_int_equal(keys, rows[i].keys);
		struct uinput_abs_setup axes[PAD_EVENT_AXES_MAX];
		assert_int_equal(pad_event_setup(shape, axes), rows[i].axes);
		for (size_t n = 0; n < rows[i].axes; n++) {
			assert_in_range(axes[n].absinfo.value - axes[n].absinfo.minimum, 0,
					axes[n].absinfo.maximum - axes[n].absinfo.minimum);
		}
	}
}

static size_t change(uint8_t shown, const pad_state *was, const pad_state *is,
		struct input_event out[PAD_EVENTS_MAX]) {
	size_t count = pad_events(pad_shape_of(shown), was, is, out);
	if (count > 0) {
		assert_int_equal(out[count - 1].type, EV_SYN);
		assert_int_equal(out[count - 1].code, SYN_REPORT);
	}
	return count;
}

static void what_did_not_change_is_not_said(void **state) {
	(void)state;
	pad_state is = { .buttons = PAD_BUTTON_A, .left_x = 5 };
	struct input_event out[PAD_EVENTS_MAX];
	for (uint8_t shown = 0; shown < PADS; shown++) {
		assert_int_equal(change(shown, &is, &is, out), 0);
	}
}

static void buttons_are_where_they_are_on_the_pad(void **state) {
	(void)state;
	static const struct {
		uint32_t button;
		uint16_t xbox, others;
	} rows[] = {
		{ PAD_BUTTON_A, BTN_SOUTH, BTN_SOUTH },
		{ PAD_BUTTON_B, BTN_EAST, BTN_EAST },
		{ PAD_BUTTON_X, BTN_X, BTN_WEST },
		{ PAD_BUTTON_Y, BTN_Y, BTN_NORTH },
		{ PAD_BUTTON_START, BTN_START, BTN_START },
		{ PAD_BUTTON_BACK, BTN_SELECT, BTN_SELECT },
		{ PAD_BUTTON_GUIDE, BTN_MODE, BTN_MODE },
		{ PAD_BUTTON_LEFT_STICK, BTN_THUMBL, BTN_THUMBL },
		{ PAD_BUTTON_RIGHT_STICK, BTN_THUMBR, BTN_THUMBR },
		{ PAD_BUTTON_LEFT_SHOULDER, BTN_TL, BTN_TL },
		{ PAD_BUTTON_RIGHT_SHOULDER, BTN_TR, BTN_TR },
	};
	const pad_state none = { 0 };
	struct input_event out[PAD_EVENTS_MAX];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const pad_state pressed = { .buttons = rows[i].button };
		for (uint8_t shown = PAD_XBOX; shown < PADS; shown++) {
			uint16_t code = shown == PAD_XBOX ? rows[i].xbox : rows[i].others;
			assert_int_equal(change(shown, &none, &pressed, out), 2);
			assert_int_equal(out[0].type, EV_KEY);
			assert_int_equal(out[0].code, code);
			assert_int_equal(out[0].value, 1);
			assert_int_equal(change(shown, &pressed, &none, out), 2);
			assert_int_equal(out[0].code, code);
			assert_int_equal(out[0].value, 0);
		}
	}
}

static void the_cross_is_a_hat(void **state) {
	(void)state;
	const pad_state none = { 0 }, corner = { .buttons = PAD_BUTTON_UP | PAD_BUTTON_RIGHT };
	struct input_event out[PAD_EVENTS_MAX];
	for (uint8_t shown = PAD_XBOX; shown < PADS; shown++) {
		assert_int_equal(change(shown, &none, &corner, out), 3);
		assert_int_equal(out[0].code, ABS_HAT0X);
		assert_int_equal(out[0].value, 1);
		assert_int_equal(out[1].code, ABS_HAT0Y);
		assert_int_equal(out[1].value, -1);
	}
}

static int32_t value_of(uint8_t shown, const pad_state *is, uint16_t code) {
	const pad_state other = { .left_x = 12345, .left_y = 12345, .left_trigger = 77 };
	struct input_event out[PAD_EVENTS_MAX];
	size_t count = change(shown, &other, is, out);
	for (size_t i = 0; i < count; i++) {
		if (out[i].type == EV_ABS && out[i].code == code) {
			return out[i].value;
		}
	}
	fail();
	return 0;
}

static void a_stick_pushed_up_is_negative(void **state) {
	(void)state;
	const pad_state up = { .left_y = INT16_MAX, .left_x = INT16_MIN, .left_trigger = 255 };
	const pad_state down = { .left_y = INT16_MIN, .left_x = INT16_MAX };
	const pad_state rest = { 0 };
	assert_int_equal(value_of(PAD_XBOX, &up, ABS_Y), -32767);
	assert_int_equal(value_of(PAD_XBOX, &up, ABS_X), -32768);
	assert_int_equal(value_of(PAD_XBOX, &up, ABS_Z), 255);
	assert_int_equal(value_of(PAD_XBOX, &down, ABS_Y), 32767);
	assert_int_equal(value_of(PAD_XBOX, &rest, ABS_Y), 0);
	assert_int_equal(value_of(PAD_NINTENDO, &down, ABS_Y), 32767);
	assert_int_equal(value_of(PAD_PS, &up, ABS_Y), 0);
	assert_int_equal(value_of(PAD_PS, &up, ABS_X), 0);
	assert_int_equal(value_of(PAD_PS, &down, ABS_Y), 255);
	assert_int_equal(value_of(PAD_PS, &rest, ABS_Y), 128);
}

static void triggers_are_keys_as_well_where_the_real_ones_are(void **state) {
	(void)state;
	const pad_state none = { 0 }, pulled = { .left_trigger = 1, .right_trigger = 255 };
	struct input_event out[PAD_EVENTS_MAX];
	assert_int_equal(change(PAD_XBOX, &none, &pulled, out), 3);
	assert_int_equal(change(PAD_PS, &none, &pulled, out), 5);
	assert_int_equal(change(PAD_NINTENDO, &none, &pulled, out), 3);
	assert_int_equal(out[0].code, BTN_TL2);
	assert_int_equal(out[1].code, BTN_TR2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_shape_is_what_the_kernel_knows_it_as),
		cmocka_unit_test(what_did_not_change_is_not_said),
		cmocka_unit_test(buttons_are_where_they_are_on_the_pad),
		cmocka_unit_test(the_cross_is_a_hat),
		cmocka_unit_test(a_stick_pushed_up_is_negative),
		cmocka_unit_test(triggers_are_keys_as_well_where_the_real_ones_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
