/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <linux/input-event-codes.h>

#include "base/own.h"
#include "proto/keycode.h"

static void virtual_keys_become_key_codes(void **state) {
	(void)state;
	static const struct {
		uint8_t vk;
		uint16_t code;
	} pairs[] = {
		{ 0x41, KEY_A },
		{ 0x5a, KEY_Z },
		{ 0x30, KEY_0 },
		{ 0x39, KEY_9 },
		{ 0x08, KEY_BACKSPACE },
		{ 0x0d, KEY_ENTER },
		{ 0x10, KEY_LEFTSHIFT },
		{ 0xa0, KEY_LEFTSHIFT },
		{ 0xa1, KEY_RIGHTSHIFT },
		{ 0xa5, KEY_RIGHTALT },
		{ 0x70, KEY_F1 },
		{ 0x7b, KEY_F12 },
		{ 0x7c, KEY_F13 },
		{ 0x87, KEY_F24 },
		{ 0x60, KEY_KP0 },
		{ 0x6f, KEY_KPSLASH },
		{ 0xc0, KEY_GRAVE },
		{ 0xe2, KEY_102ND },
		{ 0x5b, KEY_LEFTMETA },
		{ 0x2c, KEY_SYSRQ },
		{ 0xb3, KEY_PLAYPAUSE },
		{ 0xad, KEY_MUTE },
		{ 0x00, 0 },
		{ 0x07, 0 },
		{ 0xff, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_int_equal(keycode_from_vk(pairs[i].vk), pairs[i].code);
	}
}

static void every_key_code_finds_its_way_back(void **state) {
	(void)state;
	int count = 0;
	for (unsigned vk = 0; vk < 256; vk++) {
		uint16_t code = keycode_from_vk((uint8_t)vk);
		if (code) {
			assert_int_equal(keycode_from_vk(keycode_to_vk(code)), code);
			count++;
		}
	}
	assert_true(count > 130);
	assert_int_equal(keycode_to_vk(KEY_LEFTSHIFT), 0xa0);
	assert_int_equal(keycode_to_vk(0), 0);
	assert_int_equal(keycode_to_vk(KEY_MAX), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(virtual_keys_become_key_codes),
		UNIT(every_key_code_finds_its_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
