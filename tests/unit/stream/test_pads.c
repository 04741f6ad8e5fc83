/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "stream/pads.h"

enum {
	HEARD_MAX = 8,
	FEELS = INPUT_CAN_ACCELEROMETER | INPUT_CAN_GYROSCOPE,
};

struct ear {
	struct ipc_message heard[HEARD_MAX];
	unsigned count;
};

static void hear(void *user, const struct ipc_message *message) {
	struct ear *ear = user;
	assert_true(ear->count < HEARD_MAX);
	ear->heard[ear->count++] = *message;
}

static struct ear ear;
static const struct pads_hearer hearer = { hear, &ear };

static void take(struct pads *pads, const struct input_event *event) {
	memset(&ear, 0, sizeof(ear));
	pads_take(pads, event, 7, 1000, &hearer);
}

static void arrive(struct pads *pads, uint8_t number, uint8_t type, uint16_t capabilities) {
	struct input_event event = { .kind = INPUT_CONTROLLER_ARRIVAL,
		.arrival = { number, type, capabilities, 0xffff } };
	take(pads, &event);
}

static void state(struct pads *pads, uint8_t number, uint16_t active, uint32_t buttons) {
	struct input_event event = { .kind = INPUT_CONTROLLER,
		.controller = { .number = number, .active = active, .buttons = buttons } };
	take(pads, &event);
}

static void one_that_arrives_is_plugged_in_as_what_it_is(void **test) {
	(void)test;
	static const struct {
		uint8_t type, shown;
	} rows[] = {
		{ INPUT_PAD_UNKNOWN, PAD_XBOX },
		{ INPUT_PAD_XBOX, PAD_XBOX },
		{ INPUT_PAD_PLAYSTATION, PAD_PS },
		{ INPUT_PAD_NINTENDO, PAD_NINTENDO },
		{ INPUT_PAD_STEAM, PAD_XBOX },
		{ 77, PAD_XBOX },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pads pads = { 0 };
		arrive(&pads, 3, rows[i].type, INPUT_CAN_RUMBLE);
		assert_int_equal(ear.count, 1);
		assert_int_equal(ear.heard[0].kind, IPC_PAD_PLUG);
		assert_int_equal(ear.heard[0].pad.number, 3);
		assert_int_equal(ear.heard[0].pad.shown, rows[i].shown);
		assert_int_equal(ear.heard[0].pad.capabilities, INPUT_CAN_RUMBLE);
		arrive(&pads, 3, rows[i].type, INPUT_CAN_RUMBLE);
		assert_int_equal(ear.count, 0); /* said again */
	}
}

static void an_older_client_says_nothing_of_its_pads(void **test) {
	(void)test;
	struct pads pads = { 0 };
	state(&pads, 0, 1, INPUT_PAD_A);
	assert_int_equal(ear.count, 2);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_PLUG);
	assert_int_equal(ear.heard[0].pad.shown, PAD_XBOX);
	assert_int_equal(ear.heard[1].kind, IPC_PAD_STATE);
	assert_int_equal(ear.heard[1].pad_state.buttons, INPUT_PAD_A);
	assert_int_equal(ear.heard[1].pad_state.sequence, 7);
	assert_int_equal(ear.heard[1].pad_state.received_ns, 1000);
}

static void one_that_is_no_longer_in_the_mask_is_unplugged(void **test) {
	(void)test;
	struct pads pads = { 0 };
	arrive(&pads, 0, INPUT_PAD_XBOX, 0);
	arrive(&pads, 1, INPUT_PAD_XBOX, 0);
	state(&pads, 0, 1, 0); /* said by another pad */
	assert_int_equal(ear.count, 2);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_UNPLUG);
	assert_int_equal(ear.heard[0].pad.number, 1);
	state(&pads, 0, 0, 0); /* and by itself */
	assert_int_equal(ear.count, 1);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_UNPLUG);
	assert_int_equal(ear.heard[0].pad.number, 0);
	state(&pads, 0, 0, 0);
	assert_int_equal(ear.count, 0);
}

static struct ipc_message client(uint32_t permissions, uint8_t first, uint8_t motion) {
	return (struct ipc_message){ .kind = IPC_STREAM_CLIENT,
		.stream_client = { .permissions = permissions,
				.motion = motion,
				.controllers_count = 1,
				.controllers = { first } } };
}

static void what_the_client_prefers_goes_before_what_it_is(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct ipc_message prefers = client(PERMIT_ALL, PAD_NINTENDO, PAD_PS);
	pads_prefer(&pads, &prefers, &hearer);
	arrive(&pads, 0, INPUT_PAD_XBOX, FEELS);
	assert_int_equal(ear.heard[0].pad.shown, PAD_NINTENDO);
	arrive(&pads, 1, INPUT_PAD_XBOX, FEELS);
	assert_int_equal(ear.heard[0].pad.shown, PAD_PS);
	arrive(&pads, 2, INPUT_PAD_XBOX, INPUT_CAN_RUMBLE);
	assert_int_equal(ear.heard[0].pad.shown, PAD_XBOX);

	memset(&ear, 0, sizeof(ear));
	prefers = client(PERMIT_ALL, PAD_XBOX, PAD_PS);
	pads_prefer(&pads, &prefers, &hearer);
	assert_int_equal(ear.count, 2); /* the first alone changes */
	assert_int_equal(ear.heard[0].kind, IPC_PAD_UNPLUG);
	assert_int_equal(ear.heard[1].kind, IPC_PAD_PLUG);
	assert_int_equal(ear.heard[1].pad.shown, PAD_XBOX);
}

static void who_may_have_no_pads_loses_them(void **test) {
	(void)test;
	struct pads pads = { 0 };
	arrive(&pads, 0, INPUT_PAD_XBOX, 0);
	memset(&ear, 0, sizeof(ear));
	struct ipc_message refused = client(PERMIT_ALL & ~PERMIT_GAMEPAD, PAD_AUTO, PAD_AUTO);
	pads_prefer(&pads, &refused, &hearer);
	assert_int_equal(ear.count, 1);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_UNPLUG);
	memset(&ear, 0, sizeof(ear));
	pads_come(&pads, &hearer);
	assert_int_equal(ear.count, 0);
}

static void what_is_held_does_not_cross_a_switch(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct input_event event = { .kind = INPUT_CONTROLLER,
		.controller = { .active = 1, .buttons = INPUT_PAD_A, .left_trigger = 200 } };
	take(&pads, &event);
	memset(&ear, 0, sizeof(ear));
	pads_leave(&pads, &hearer);
	pads_come(&pads, &hearer);
	assert_int_equal(ear.count, 2);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_UNPLUG);
	assert_int_equal(ear.heard[1].kind, IPC_PAD_PLUG);

	event.controller.buttons |= INPUT_PAD_B;
	take(&pads, &event);
	assert_int_equal(ear.heard[0].pad_state.buttons, INPUT_PAD_B);
	assert_int_equal(ear.heard[0].pad_state.left_trigger, 0);
	event.controller.buttons = 0;
	event.controller.left_trigger = 0;
	take(&pads, &event);
	event.controller.buttons = INPUT_PAD_A;
	event.controller.left_trigger = 200;
	take(&pads, &event);
	assert_int_equal(ear.heard[0].pad_state.buttons, INPUT_PAD_A);
	assert_int_equal(ear.heard[0].pad_state.left_trigger, 200);
}

static void a_pad_that_is_not_there_feels_nothing(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct input_event motion = { .kind = INPUT_CONTROLLER_MOTION,
		.motion = { 0, INPUT_MOTION_GYROSCOPE, 1.5F, -2.25F, 3e30F } };
	take(&pads, &motion);
	assert_int_equal(ear.count, 0);
	arrive(&pads, 0, INPUT_PAD_PLAYSTATION, FEELS);
	take(&pads, &motion);
	assert_int_equal(ear.count, 1);
	assert_int_equal(ear.heard[0].pad_sense.what, PAD_GYROSCOPE);
	assert_int_equal(ear.heard[0].pad_sense.x, 1500);
	assert_int_equal(ear.heard[0].pad_sense.y, -2250);
	assert_int_equal(ear.heard[0].pad_sense.z, 10000000);

	struct input_event touch = { .kind = INPUT_CONTROLLER_TOUCH,
		.pad_touch = { 0, INPUT_TOUCH_DOWN, 0, 9, 1.0F, 0.5F, 1.0F } };
	take(&pads, &touch);
	assert_int_equal(ear.heard[0].pad_sense.what, PAD_TOUCH);
	assert_int_equal(ear.heard[0].pad_sense.type, INPUT_TOUCH_DOWN);
	assert_int_equal(ear.heard[0].pad_sense.pointer, 9);
	assert_int_equal(ear.heard[0].pad_sense.x, 65535);
	assert_int_equal(ear.heard[0].pad_sense.y, 32767);

	struct input_event battery = { .kind = INPUT_CONTROLLER_BATTERY,
		.battery = { 0, INPUT_BATTERY_CHARGING, 60 } };
	take(&pads, &battery);
	assert_int_equal(ear.heard[0].pad_sense.what, PAD_BATTERY);
	assert_int_equal(ear.heard[0].pad_sense.type, INPUT_BATTERY_CHARGING);
	assert_int_equal(ear.heard[0].pad_sense.x, 60);
}

static void a_successor_goes_on_with_what_the_desktop_has(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct ipc_message plugged = { .kind = IPC_PAD_PLUG, .pad = { 2, PAD_PS, FEELS } };
	pads_recall(&pads, &plugged);
	state(&pads, 2, 4, INPUT_PAD_A);
	assert_int_equal(ear.count, 1);
	assert_int_equal(ear.heard[0].kind, IPC_PAD_STATE);
	memset(&ear, 0, sizeof(ear));
	pads_leave(&pads, &hearer);
	pads_come(&pads, &hearer);
	assert_int_equal(ear.heard[1].pad.shown, PAD_PS);
	assert_int_equal(ear.heard[1].pad.capabilities, FEELS);

	/* The client spoke before the desktop did. */
	struct pads late = { 0 };
	state(&late, 2, 4, 0);
	pads_recall(&late, &plugged);
	memset(&ear, 0, sizeof(ear));
	pads_come(&late, &hearer);
	assert_int_equal(ear.heard[0].pad.shown, PAD_PS);
}

static int feedback(struct pads *pads, uint8_t what, struct control_message *out) {
	struct ipc_message message = { .kind = IPC_PAD_FEEDBACK,
		.pad_feedback = { .number = 1,
				.what = what,
				.a = 0x1234,
				.b = 0x5678,
				.red = 1,
				.green = 2,
				.blue = 3,
				.flags = CONTROL_TRIGGER_LEFT,
				.type_left = 2,
				.left = { 9 } } };
	return pads_feedback(pads, &message, out);
}

static void a_client_hears_what_its_pad_can_do(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct control_message out;
	assert_int_equal(feedback(&pads, PAD_RUMBLE, &out), -ENOENT);
	arrive(&pads, 1, INPUT_PAD_PLAYSTATION, INPUT_CAN_RUMBLE);
	assert_int_equal(feedback(&pads, PAD_RUMBLE, &out), 0);
	assert_int_equal(out.kind, CONTROL_RUMBLE);
	assert_int_equal(out.rumble.controller, 1);
	assert_int_equal(out.rumble.low, 0x1234);
	assert_int_equal(out.rumble.high, 0x5678);
	for (uint8_t what = PAD_TRIGGER_RUMBLE; what < PAD_FEEDBACKS; what++) {
		assert_int_equal(feedback(&pads, what, &out), -ENOTSUP);
	}
	arrive(&pads, 1, INPUT_PAD_PLAYSTATION, 0xff);
	assert_int_equal(feedback(&pads, PAD_LED, &out), 0);
	assert_int_equal(out.kind, CONTROL_LED);
	assert_int_equal(out.led.green, 2);
	assert_int_equal(feedback(&pads, PAD_MOTION_REPORTS, &out), 0);
	assert_int_equal(out.motion_reports.rate_hz, 0x1234);
	assert_int_equal(out.motion_reports.type, CONTROL_MOTION_GYROSCOPE);
	assert_int_equal(feedback(&pads, PAD_TRIGGERS, &out), 0);
	assert_int_equal(out.adaptive_triggers.flags, CONTROL_TRIGGER_LEFT);
	assert_int_equal(out.adaptive_triggers.left[0], 9);
	assert_int_equal(feedback(&pads, PAD_TRIGGER_RUMBLE, &out), 0);
	assert_int_equal(out.trigger_rumble.right, 0x5678);
	arrive(&pads, 1, INPUT_PAD_XBOX, 0xff);
	assert_int_equal(feedback(&pads, PAD_TRIGGERS, &out), -ENOTSUP);
}

static void what_rumbles_is_stilled_when_the_viewer_leaves(void **test) {
	(void)test;
	struct pads pads = { 0 };
	struct control_message out;
	arrive(&pads, 1, INPUT_PAD_PLAYSTATION, 0xff);
	assert_false(pads_still(&pads, &out));
	assert_int_equal(feedback(&pads, PAD_LED, &out), 0);
	assert_false(pads_still(&pads, &out));
	assert_int_equal(feedback(&pads, PAD_RUMBLE, &out), 0);
	assert_true(pads_still(&pads, &out));
	assert_int_equal(out.kind, CONTROL_RUMBLE);
	assert_int_equal(out.rumble.controller, 1);
	assert_int_equal(out.rumble.low | out.rumble.high, 0);
	assert_false(pads_still(&pads, &out));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_arrives_is_plugged_in_as_what_it_is),
		cmocka_unit_test(an_older_client_says_nothing_of_its_pads),
		cmocka_unit_test(one_that_is_no_longer_in_the_mask_is_unplugged),
		cmocka_unit_test(what_the_client_prefers_goes_before_what_it_is),
		cmocka_unit_test(who_may_have_no_pads_loses_them),
		cmocka_unit_test(what_is_held_does_not_cross_a_switch),
		cmocka_unit_test(a_pad_that_is_not_there_feels_nothing),
		cmocka_unit_test(a_successor_goes_on_with_what_the_desktop_has),
		cmocka_unit_test(a_client_hears_what_its_pad_can_do),
		cmocka_unit_test(what_rumbles_is_stilled_when_the_viewer_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
