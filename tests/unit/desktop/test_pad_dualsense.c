/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "desktop/pad_dualsense.h"
#include "ipc/pad.h"

/* Offsets are those of hid-playstation.c's structs, with the report's number before them. */

static const uint8_t address[] = { 0x02, 0x11, 0x22, 0x33, 0x44, 0x55 };

static struct pad_dualsense fresh(void) {
	struct pad_dualsense pad;
	pad_dualsense_init(&pad, address);
	return pad;
}

static int16_t le16(const uint8_t *at) {
	return (int16_t)(at[0] | at[1] << 8);
}

/* Bytes of each report that the descriptor declares, without its number; by its kind:
 * 0x8 input, 0x9 output, 0xb feature. */
static unsigned declared(uint8_t kind, uint8_t number) {
	unsigned bits = 0, size = 0, count = 0, report = 0, depth = 0;
	for (size_t at = 0; at < pad_dualsense_descriptor_size;) {
		uint8_t item = pad_dualsense_descriptor[at];
		size_t len = (item & 3) == 3 ? 4 : item & 3;
		unsigned value = 0;
		assert_true(at + 1 + len <= pad_dualsense_descriptor_size);
		for (size_t i = 0; i < len; i++) {
			value |= (unsigned)pad_dualsense_descriptor[at + 1 + i] << (8 * i);
		}
		size = (item & 0xfc) == 0x74 ? value : size;
		count = (item & 0xfc) == 0x94 ? value : count;
		report = (item & 0xfc) == 0x84 ? value : report;
		depth += (item & 0xfc) == 0xa0;
		depth -= (item & 0xfc) == 0xc0;
		if (item >> 4 == kind && (item & 0xc) == 0 && report == number) {
			bits += size * count;
		}
		at += 1 + len;
	}
	assert_int_equal(depth, 0);
	assert_int_equal(bits % 8, 0);
	return bits / 8;
}

static void the_descriptor_declares_the_drivers_reports(void **state) {
	(void)state;
	assert_int_equal(declared(0x8, 1), PAD_DUALSENSE_INPUT - 1);
	assert_int_equal(declared(0x9, 2), 62);
	assert_int_equal(declared(0xb, 0x05), 40);
	assert_int_equal(declared(0xb, 0x09), 19);
	assert_int_equal(declared(0xb, 0x20), 63);
}

static void at_rest_it_lies_still(void **state) {
	(void)state;
	static const uint8_t expected[PAD_DUALSENSE_INPUT] = { [0] = 1,
		[1] = 0x80,
		[2] = 0x7f,
		[3] = 0x80,
		[4] = 0x7f,
		[8] = 8,
		[25] = 0x20,
		[28] = 3,
		[33] = 0x80,
		[37] = 0x80,
		[53] = 0x2a };
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_INPUT];
	pad_dualsense_input(&pad, 1, out);
	assert_memory_equal(out, expected, sizeof(out));
	pad_dualsense_input(&pad, 1, out);
	assert_int_equal(out[7], 1); /* counts */
}

static void buttons_have_their_bits(void **state) {
	(void)state;
	static const struct {
		uint32_t button;
		uint8_t byte, value;
	} rows[] = {
		{ PAD_BUTTON_UP, 8, 0 },
		{ PAD_BUTTON_UP | PAD_BUTTON_RIGHT, 8, 1 },
		{ PAD_BUTTON_RIGHT, 8, 2 },
		{ PAD_BUTTON_DOWN | PAD_BUTTON_RIGHT, 8, 3 },
		{ PAD_BUTTON_DOWN, 8, 4 },
		{ PAD_BUTTON_DOWN | PAD_BUTTON_LEFT, 8, 5 },
		{ PAD_BUTTON_LEFT, 8, 6 },
		{ PAD_BUTTON_UP | PAD_BUTTON_LEFT, 8, 7 },
		{ PAD_BUTTON_UP | PAD_BUTTON_DOWN, 8, 8 },
		{ PAD_BUTTON_LEFT | PAD_BUTTON_RIGHT | PAD_BUTTON_DOWN, 8, 4 },
		{ PAD_BUTTON_X, 8, 0x18 },
		{ PAD_BUTTON_A, 8, 0x28 },
		{ PAD_BUTTON_B, 8, 0x48 },
		{ PAD_BUTTON_Y, 8, 0x88 },
		{ PAD_BUTTON_LEFT_SHOULDER, 9, 0x01 },
		{ PAD_BUTTON_RIGHT_SHOULDER, 9, 0x02 },
		{ PAD_BUTTON_BACK, 9, 0x10 },
		{ PAD_BUTTON_START, 9, 0x20 },
		{ PAD_BUTTON_LEFT_STICK, 9, 0x40 },
		{ PAD_BUTTON_RIGHT_STICK, 9, 0x80 },
		{ PAD_BUTTON_GUIDE, 10, 0x01 },
		{ PAD_BUTTON_TOUCHPAD, 10, 0x02 },
		{ PAD_BUTTON_MISC, 10, 0x04 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pad_dualsense pad = fresh();
		uint8_t out[PAD_DUALSENSE_INPUT];
		pad.state.buttons = rows[i].button;
		pad_dualsense_input(&pad, 0, out);
		assert_int_equal(out[rows[i].byte], rows[i].value);
	}
}

static void sticks_and_triggers_are_bytes(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_INPUT];
	pad.state = (pad_state){ .left_x = INT16_MIN,
		.left_y = INT16_MAX,
		.right_x = INT16_MAX,
		.right_y = INT16_MIN,
		.left_trigger = 1,
		.right_trigger = 255 };
	pad_dualsense_input(&pad, 0, out);
	static const uint8_t expected[] = { 1, 0, 0, 255, 255, 1, 255 };
	assert_memory_equal(out, expected, sizeof(expected));
	assert_int_equal(out[9], 0x0c); /* pulled at all */
}

static void feel(struct pad_dualsense *pad, uint8_t what, uint8_t type, uint32_t pointer, int32_t x,
		int32_t y, int32_t z, bool counts) {
	const pad_sense sense = {
		.what = what, .type = type, .pointer = pointer, .x = x, .y = y, .z = z
	};
	assert_int_equal(pad_dualsense_sense(pad, &sense), counts);
}

static void two_fingers_are_on_the_touchpad(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_INPUT];
	feel(&pad, PAD_TOUCH, PAD_FINGER_DOWN, 70, 65535, 65535, 0, true);
	feel(&pad, PAD_TOUCH, PAD_FINGER_DOWN, 71, 0, 32768, 0, true);
	feel(&pad, PAD_TOUCH, PAD_FINGER_DOWN, 72, 0, 0, 0, false); /* a third */
	pad_dualsense_input(&pad, 0, out);
	/* 1919 = 0x77f, 1079 = 0x437; 539 = 0x21b */
	static const uint8_t both[] = { 0, 0x7f, 0x77, 0x43, 1, 0, 0xb0, 0x21 };
	assert_memory_equal(out + 33, both, sizeof(both));
	feel(&pad, PAD_TOUCH, PAD_FINGER_UP, 70, 65535, 65535, 0, true);
	feel(&pad, PAD_TOUCH, PAD_FINGER_UP, 70, 0, 0, 0, false);
	pad_dualsense_input(&pad, 0, out);
	assert_int_equal(out[33], 0x80);
	assert_int_equal(out[37], 1);
	feel(&pad, PAD_TOUCH, PAD_FINGER_DOWN, 70, 0, 0, 0, true);
	pad_dualsense_input(&pad, 0, out);
	assert_int_equal(out[33], 2); /* another touch */
	feel(&pad, PAD_TOUCH, PAD_FINGER_CANCEL_ALL, 0, 0, 0, 0, true);
	pad_dualsense_input(&pad, 0, out);
	assert_int_equal(out[33] & out[37] & 0x80, 0x80);
}

/* What hid-playstation.c makes of a sensor's number with a calibration. */
static long calibrated(const uint8_t *report, size_t plus, long scale, int16_t raw) {
	long range = le16(report + plus) - le16(report + plus + 2);
	return raw * scale / range;
}

static void motion_comes_out_of_the_driver_as_it_went_in(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_INPUT], calibration[PAD_DUALSENSE_FEATURE];
	assert_int_equal(pad_dualsense_feature(&pad, 5, calibration), 41);
	feel(&pad, PAD_GYROSCOPE, 0, 0, 90000, -1000, 1 << 30, true);
	feel(&pad, PAD_ACCELEROMETER, 0, 0, 9807, -9807, 0, true);
	pad_dualsense_input(&pad, 0, out);
	long speed = le16(calibration + 19) + le16(calibration + 21);
	assert_int_equal(calibrated(calibration, 7, speed * 1024, le16(out + 16)), 90 * 1024);
	assert_int_equal(calibrated(calibration, 11, speed * 1024, le16(out + 18)), -1024);
	assert_int_equal(le16(out + 20), INT16_MAX);
	assert_in_range(calibrated(calibration, 23, 2 * 8192, le16(out + 22)), 8190, 8194);
	assert_in_range(-calibrated(calibration, 27, 2 * 8192, le16(out + 24)), 8190, 8194);
	assert_int_equal(le16(out + 26), 0);
}

static void the_battery_is_told_in_tenths(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_INPUT];
	feel(&pad, PAD_BATTERY, PAD_POWER_CHARGING, 0, 57, 0, 0, true);
	pad_dualsense_input(&pad, 0, out);
	assert_int_equal(out[53], 0x15);
	feel(&pad, PAD_BATTERY, PAD_POWER_DISCHARGING, 0, 255, 0, 0, true);
	pad_dualsense_input(&pad, 0, out);
	assert_int_equal(out[53], 0x0a);
}

static void features_are_what_the_driver_asks_for(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	uint8_t out[PAD_DUALSENSE_FEATURE];
	assert_int_equal(pad_dualsense_feature(&pad, 9, out), 20);
	assert_memory_equal(out, "\x09\x55\x44\x33\x22\x11\x02", 7);
	assert_int_equal(pad_dualsense_feature(&pad, 0x20, out), 64);
	assert_int_equal(out[0], 0x20);
	assert_int_equal(le16(out + 44), 0); /* no newer way to speak to motors */
	assert_int_equal(pad_dualsense_feature(&pad, 0x0b, out), -ENOENT);
}

static void what_an_app_wants_is_told_once(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	struct ipc_message says[PAD_DUALSENSE_SAYS_MAX];
	uint8_t report[63] = { [0] = 2,
		[1] = 0x0f,
		[2] = 0x04,
		[3] = 0x10,
		[4] = 0xff,
		[11] = 0x21,
		[12] = 0xaa,
		[21] = 0xbb,
		[22] = 0x26,
		[23] = 0xcc,
		[45] = 1,
		[46] = 2,
		[47] = 3 };
	assert_int_equal(pad_dualsense_output(&pad, report, sizeof(report), says), 3);
	assert_int_equal(says[0].pad_feedback.what, PAD_RUMBLE);
	assert_int_equal(says[0].pad_feedback.a, 0xffff); /* the large one is the left */
	assert_int_equal(says[0].pad_feedback.b, 0x1010);
	assert_int_equal(says[1].pad_feedback.what, PAD_LED);
	assert_int_equal(says[1].pad_feedback.red, 1);
	assert_int_equal(says[1].pad_feedback.green, 2);
	assert_int_equal(says[1].pad_feedback.blue, 3);
	assert_int_equal(says[2].pad_feedback.what, PAD_TRIGGERS);
	assert_int_equal(says[2].pad_feedback.flags, PAD_TRIGGER_LEFT | PAD_TRIGGER_RIGHT);
	assert_int_equal(says[2].pad_feedback.type_right, 0x21);
	assert_int_equal(says[2].pad_feedback.right[0], 0xaa);
	assert_int_equal(says[2].pad_feedback.right[9], 0xbb);
	assert_int_equal(says[2].pad_feedback.type_left, 0x26);
	assert_int_equal(says[2].pad_feedback.left[0], 0xcc);
	assert_int_equal(pad_dualsense_output(&pad, report, sizeof(report), says), 0);
	report[4] = 0;
	report[3] = 0;
	assert_int_equal(pad_dualsense_output(&pad, report, 48, says), 1);
	assert_int_equal(says[0].pad_feedback.a, 0);
	/* What it says nothing of stays. */
	static const uint8_t nothing[48] = { 2, 0, 0, 0x50, 0x50 };
	assert_int_equal(pad_dualsense_output(&pad, nothing, sizeof(nothing), says), 0);
	static const uint8_t newer[48] = { [0] = 2, [3] = 0x50, [39] = 0x04 };
	assert_int_equal(pad_dualsense_output(&pad, newer, sizeof(newer), says), 1);
}

static void every_other_output_is_refused(void **state) {
	(void)state;
	struct pad_dualsense pad = fresh();
	struct ipc_message says[PAD_DUALSENSE_SAYS_MAX];
	uint8_t report[63] = { 2, 0xff, 0xff };
	for (size_t len = 0; len < 48; len++) {
		assert_int_equal(pad_dualsense_output(&pad, report, len, says), -EBADMSG);
	}
	report[0] = 0x31; /* by Bluetooth */
	assert_int_equal(pad_dualsense_output(&pad, report, sizeof(report), says), -EBADMSG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_descriptor_declares_the_drivers_reports),
		cmocka_unit_test(at_rest_it_lies_still),
		cmocka_unit_test(buttons_have_their_bits),
		cmocka_unit_test(sticks_and_triggers_are_bytes),
		cmocka_unit_test(two_fingers_are_on_the_touchpad),
		cmocka_unit_test(motion_comes_out_of_the_driver_as_it_went_in),
		cmocka_unit_test(the_battery_is_told_in_tenths),
		cmocka_unit_test(features_are_what_the_driver_asks_for),
		cmocka_unit_test(what_an_app_wants_is_told_once),
		cmocka_unit_test(every_other_output_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
