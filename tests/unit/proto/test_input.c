/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <math.h>

#include "base/bytes.h"
#include "proto/input.h"
#include "vector.h"

/* clang-format off */
/* Of every row one event and its bytes. */
static const struct {
	const char *hex;
	struct input_event event;
} samples[] = {
	{ "0000000a" "03000000" "01" "4180" "05" "0000",
		{ .kind = INPUT_KEY, .key = { 0x41, INPUT_SHIFT | INPUT_ALT, true, true } } },
	{ "0000000a" "04000000" "00" "a080" "00" "0000",
		{ .kind = INPUT_KEY, .key = { 0xa0, 0, false, false } } },
	{ "00000008" "07000000" "ffff" "0102",
		{ .kind = INPUT_MOUSE_MOVE, .move = { -1, 0x102 } } },
	{ "0000000e" "05000000" "0010" "0020" "0000" "077f" "0437",
		{ .kind = INPUT_MOUSE_POSITION, .position = { 16, 32, 1919, 1079 } } },
	{ "00000005" "08000000" "02",
		{ .kind = INPUT_MOUSE_BUTTON, .button = { INPUT_BUTTON_MIDDLE, true } } },
	{ "00000005" "09000000" "05",
		{ .kind = INPUT_MOUSE_BUTTON, .button = { INPUT_BUTTON_X2, false } } },
	{ "0000000a" "0a000000" "ff88" "ff88" "0000",
		{ .kind = INPUT_SCROLL_VERTICAL, .scroll = -INPUT_WHEEL_NOTCH } },
	{ "00000006" "01000055" "0078",
		{ .kind = INPUT_SCROLL_HORIZONTAL, .scroll = INPUT_WHEEL_NOTCH } },
	{ "00000008" "17000000" "f09f9880",
		{ .kind = INPUT_CODE_POINT, .text = { 4, "\xf0\x9f\x98\x80" } } },
	{ "00000006" "0d000000" "0100",
		{ .kind = INPUT_HAPTICS, .haptics = true } },
	{ "0000001e" "0c000000" "1a00" "0f00" "0180" "1400" "0110" "80" "ff"
	  "0080" "ff7f" "0100" "ffff" "9c00" "3f00" "5500",
		{ .kind = INPUT_CONTROLLER, .controller = { 15, 0x8001,
			INPUT_PAD_A | INPUT_PAD_UP | 0x3f0000, 0x80, 0xff, -32768, 32767, 1, -1 } } },
	{ "00000020" "02000055" "01" "00" "ffff" "04030201" "0000003f" "0000803e" "0000803f" "00000000" "0000003e",
		{ .kind = INPUT_TOUCH, .touch = { INPUT_TOUCH_DOWN, INPUT_ROTATION_UNKNOWN, 0x01020304,
			0.5f, 0.25f, 1, 0, 0.125f } } },
	{ "00000020" "03000055" "03" "02" "05" "00" "0000003f" "0000803e" "0000803f" "5a00" "ff" "00" "00000000" "0000003e",
		{ .kind = INPUT_PEN, .pen = { INPUT_TOUCH_MOVE, INPUT_TOOL_ERASER, 5, INPUT_TILT_UNKNOWN, 90,
			0.5f, 0.25f, 1, 0, 0.125f } } },
	{ "0000000c" "04000055" "0f" "02" "ff01" "ffff3f00",
		{ .kind = INPUT_CONTROLLER_ARRIVAL, .arrival = { 15, INPUT_PAD_PLAYSTATION, 0x1ff, 0x3fffff } } },
	{ "00000018" "05000055" "01" "03" "00" "01" "07000000" "0000003f" "0000803e" "0000803f",
		{ .kind = INPUT_CONTROLLER_TOUCH, .pad_touch = { 1, INPUT_TOUCH_MOVE, 1, 7, 0.5f, 0.25f, 1 } } },
	{ "00000014" "06000055" "02" "02" "0000" "00000040" "000000c0" "00000000",
		{ .kind = INPUT_CONTROLLER_MOTION, .motion = { 2, INPUT_MOTION_GYROSCOPE, 2, -2, 0 } } },
	{ "00000008" "07000055" "00" "03" "64" "00",
		{ .kind = INPUT_CONTROLLER_BATTERY, .battery = { 0, INPUT_BATTERY_CHARGING, 100 } } },
};
/* clang-format on */

static void every_row_is_decoded_and_encoded(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		uint8_t bytes[INPUT_EVENT_MAX], out[INPUT_EVENT_MAX];
		size_t len = vector_bytes(samples[i].hex, bytes), out_len = 0;
		assert_int_equal(input_encode(&samples[i].event, out, sizeof(out), &out_len), 0);
		assert_bytes(out, out_len, samples[i].hex);
		struct input_event got;
		memset(&got, 0, sizeof(got));
		assert_int_equal(input_decode(bytes, len, &got), 0);
		assert_int_equal(got.kind, samples[i].event.kind);
		assert_int_equal(input_encode(&got, out, sizeof(out), &out_len), 0);
		assert_bytes(out, out_len, samples[i].hex);
		assert_int_equal(input_encode(&got, out, out_len - 1, &out_len), -ENOSPC);
	}
}

static void every_wrong_size_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		uint8_t bytes[INPUT_EVENT_MAX] = { 0 };
		size_t len = vector_bytes(samples[i].hex, bytes);
		struct input_event got;
		for (size_t cut = 0; cut <= len + 2; cut++) {
			/* The size field says the truth about what came. */
			struct writer w = writer_over(bytes, 4);
			writer_be32(&w, (uint32_t)(cut < 4 ? 0 : cut - 4));
			int rc = input_decode(bytes, cut, &got);
			assert_int_equal(rc, cut == len ? 0 : -EBADMSG);
		}
		struct writer w = writer_over(bytes, 4);
		writer_be32(&w, (uint32_t)(len - 5));
		assert_int_equal(input_decode(bytes, len, &got), -EBADMSG);
	}
}

static int decode(const char *hex, struct input_event *out) {
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len = vector_bytes(hex, bytes);
	return input_decode(bytes, len, out);
}

static void values_out_of_range_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"000000050800000000",                   /* button 0 */
		"000000050900000006",                   /* button 6 */
		"0000000e0500000000000000000000000437", /* width 1 */
		"0000000e05000000000000000000077f0000",
		"0000001e0c0000001a00100001801400011080ff0080ff7f0100ffff9c003f005500", /* pad 16 */
		"0000001e0c0000001a00000101801400011080ff0080ff7f0100ffff9c003f005500", /* pad 256
											 */
		"0000000c040000551002ff01ffff3f00", /* arrival 16 */
		"00000020020000550800ffff040302010000003f0000803e0000803f000000000000003e",
		"000000200300005503030500"
		"0000003f0000803e0000803f"
		"5a00ff00"
		"000000000000003e" /* tool 3 */,
		"0000001406000055020000000000004000000000c0000000", /* motion type 0 */
		"00000014060000550203000000000040000000c000000000",
		"000000080700005500066400", /* battery state 6 */
		"000000080700005500036500", /* 101 % */
		"000000080700005510036400", /* battery of pad 16 */
	};
	struct input_event got;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(decode(bad[i], &got), -EBADMSG);
	}
	assert_int_equal(decode("00000006ff0000000000", &got), -ENOTSUP);
	assert_int_equal(decode("00000008060000000000ffff", &got), -ENOTSUP);
}

static void floats_must_be_finite_and_positions_are_clamped(void **state) {
	(void)state;
	struct input_event event = { .kind = INPUT_TOUCH,
		.touch = { .x = 2, .y = -1, .pressure = 7 } };
	struct input_event got;
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len = 0;
	assert_int_equal(input_encode(&event, bytes, sizeof(bytes), &len), 0);
	assert_int_equal(input_decode(bytes, len, &got), 0);
	assert_true(got.touch.x == 1 && got.touch.y == 0 && got.touch.pressure == 1);

	static const float bad[] = { NAN, INFINITY, -INFINITY };
	/* Each of the five floats of a touch in turn. */
	for (size_t field = 0; field < 5; field++) {
		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			assert_int_equal(input_encode(&event, bytes, sizeof(bytes), &len), 0);
			memcpy(bytes + 16 + 4 * field, &bad[i], 4);
			assert_int_equal(input_decode(bytes, len, &got), -EBADMSG);
		}
	}
	event = (struct input_event){ .kind = INPUT_CONTROLLER_MOTION,
		.motion = { 1, INPUT_MOTION_GYROSCOPE, 0, NAN, 0 } };
	assert_int_equal(input_encode(&event, bytes, sizeof(bytes), &len), 0);
	assert_int_equal(input_decode(bytes, len, &got), -EBADMSG);
}

static void a_pointer_outside_the_picture_lands_on_its_edge(void **state) {
	(void)state;
	struct input_event got;
	assert_int_equal(decode("0000000e05000000fffe08000000077f0437", &got), 0);
	assert_int_equal(got.position.x, 0);
	assert_int_equal(got.position.y, 1079);
}

static void text_is_one_code_point(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "a", true },
		{ "\n", true },
		{ "\xc3\xa9", true },
		{ "\xe2\x82\xac", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "ab", false },
		{ "\xc3", false },
		{ "\x80", false },
		{ "\xc0\x80", false },
		{ "\xe0\x80\x80", false },
		{ "\xed\xa0\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xf5\x80\x80\x80", false },
		{ "\xc3\xa9x", false },
		{ "\xe2\x82x", false },
		{ "\xf0\x9f\x98", false },
		{ "abcde", false },
		{ "", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t bytes[32];
		struct writer w = writer_over(bytes, sizeof(bytes));
		size_t len = strlen(cases[i].text);
		writer_be32(&w, (uint32_t)(4 + len));
		writer_le32(&w, 0x17);
		writer_copy(&w, cases[i].text, len);
		struct input_event got;
		assert_int_equal(input_decode(bytes, 8 + len, &got), cases[i].good ? 0 : -EBADMSG);
	}
	struct input_event got;
	assert_int_equal(decode("000000051700000000", &got), -EBADMSG); /* NUL */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_row_is_decoded_and_encoded),
		UNIT(every_wrong_size_is_refused),
		UNIT(values_out_of_range_are_refused),
		UNIT(floats_must_be_finite_and_positions_are_clamped),
		UNIT(a_pointer_outside_the_picture_lands_on_its_edge),
		UNIT(text_is_one_code_point),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
