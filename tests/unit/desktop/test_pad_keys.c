/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include <linux/input-event-codes.h>

#include "desktop/pad_keys.h"
#include "ipc/pad.h"

struct rig {
	struct pad_keys keys;
	char said[200]; /* "+103 -103 ", codes with what became of them */
};

static void say(void *user, uint32_t code, bool down) {
	struct rig *rig = user;
	size_t used = strlen(rig->said);
	snprintf(rig->said + used, sizeof(rig->said) - used, "%c%u ", down ? '+' : '-', code);
}

static const char *take(struct rig *rig, unsigned number, const pad_state *state) {
	const struct pad_keys_hearer hearer = { say, rig };
	rig->said[0] = '\0';
	pad_keys_take(&rig->keys, number, state, &hearer);
	return rig->said;
}

static const char *press(struct rig *rig, unsigned number, uint32_t buttons) {
	const pad_state state = { .buttons = buttons };
	return take(rig, number, &state);
}

static const char *tilt(struct rig *rig, int16_t x, int16_t y) {
	const pad_state state = { .left_x = x, .left_y = y };
	return take(rig, 0, &state);
}

static void each_button_is_a_key(void **state) {
	(void)state;
	static const struct {
		uint32_t button;
		unsigned code; /* 0: none */
	} rows[] = {
		{ PAD_BUTTON_UP, KEY_UP },
		{ PAD_BUTTON_DOWN, KEY_DOWN },
		{ PAD_BUTTON_LEFT, KEY_LEFT },
		{ PAD_BUTTON_RIGHT, KEY_RIGHT },
		{ PAD_BUTTON_A, KEY_ENTER },
		{ PAD_BUTTON_B, KEY_ESC },
		{ PAD_BUTTON_BACK, KEY_ESC },
		{ PAD_BUTTON_X, KEY_BACKSPACE },
		{ PAD_BUTTON_START, 0 },
		{ PAD_BUTTON_RIGHT_SHOULDER, 0 },
		{ PAD_BUTTON_GUIDE, 0 },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig = { .said = "" };
		char down[16] = "", up[16] = "";
		if (rows[i].code) {
			snprintf(down, sizeof(down), "+%u ", rows[i].code);
			snprintf(up, sizeof(up), "-%u ", rows[i].code);
		}
		assert_string_equal(press(&rig, 3, rows[i].button), down);
		assert_string_equal(press(&rig, 3, rows[i].button), "");
		assert_string_equal(press(&rig, 3, 0), up);
	}
}

static void a_key_is_down_while_anything_presses_it(void **state) {
	(void)state;
	struct rig rig = { .said = "" };
	assert_string_equal(press(&rig, 0, PAD_BUTTON_A), "+28 ");
	assert_string_equal(press(&rig, 1, PAD_BUTTON_A), "");
	assert_string_equal(press(&rig, 0, 0), "");
	assert_string_equal(press(&rig, 1, 0), "-28 ");
	assert_string_equal(press(&rig, 0, PAD_BUTTON_B | PAD_BUTTON_BACK), "+1 ");
	assert_string_equal(press(&rig, 0, PAD_BUTTON_BACK), "");
	assert_string_equal(press(&rig, 0, PAD_BUTTON_A), "+28 -1 ");
	assert_string_equal(take(&rig, 0, NULL), "-28 ");
	assert_string_equal(take(&rig, 0, NULL), "");
}

static void a_stick_points_once(void **state) {
	(void)state;
	struct rig rig = { .said = "" };
	assert_string_equal(tilt(&rig, 0, 19999), "");
	assert_string_equal(tilt(&rig, 0, 20000), "+103 ");
	assert_string_equal(tilt(&rig, 0, 12000), ""); /* it trembles */
	assert_string_equal(tilt(&rig, 0, 21000), "");
	assert_string_equal(tilt(&rig, 0, 11999), "-103 ");
	assert_string_equal(tilt(&rig, 0, -32768), "+108 ");
	assert_string_equal(tilt(&rig, -32768, 0), "-108 +105 ");
	assert_string_equal(tilt(&rig, 32767, 0), "-105 +106 ");
	assert_string_equal(tilt(&rig, 0, 0), "-106 ");
}

static void between_two_directions_it_is_one(void **state) {
	(void)state;
	struct rig rig = { .said = "" };
	assert_string_equal(tilt(&rig, 24000, 22000), "+106 ");
	assert_string_equal(tilt(&rig, 22000, 21000), "");
	assert_string_equal(tilt(&rig, 0, 0), "-106 ");
	assert_string_equal(tilt(&rig, -22000, -24000), "+108 ");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(each_button_is_a_key),
		UNIT(a_key_is_down_while_anything_presses_it),
		UNIT(a_stick_points_once),
		UNIT(between_two_directions_it_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
