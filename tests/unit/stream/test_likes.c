/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "stream/likes.h"

static struct ipc_message input(enum ipc_input_kind kind) {
	return (struct ipc_message){ .kind = IPC_INPUT, .input.kind = (uint8_t)kind };
}

static struct likes with(uint32_t permissions, uint32_t mouse, uint32_t scroll) {
	struct likes likes = likes_begin();
	struct ipc_message message = { .kind = IPC_STREAM_CLIENT,
		.stream_client = { permissions, mouse, scroll, scroll } };
	likes_take(&likes, &message);
	return likes;
}

static void each_kind_needs_its_permission(void **state) {
	(void)state;
	static const struct {
		enum ipc_input_kind kind;
		uint32_t needs;
	} rows[] = {
		{ INPUT_KEY_DOWN, PERMIT_KEYBOARD },
		{ INPUT_TEXT, PERMIT_KEYBOARD },
		{ INPUT_MOTION, PERMIT_MOUSE },
		{ INPUT_POSITION, PERMIT_MOUSE },
		{ INPUT_BUTTON_DOWN, PERMIT_MOUSE },
		{ INPUT_SCROLL, PERMIT_MOUSE },
		{ INPUT_SCROLL_SIDE, PERMIT_MOUSE },
		{ INPUT_KEY_UP, 0 },
		{ INPUT_BUTTON_UP, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct likes all = with(PERMIT_ALL, 1000, 1000);
		struct likes none = with(0, 1000, 1000);
		struct likes rest = with(PERMIT_ALL & ~rows[i].needs, 1000, 1000);
		struct likes just = with(rows[i].needs, 1000, 1000);
		struct ipc_message message = input(rows[i].kind);
		assert_true(likes_apply(&all, &message));
		assert_true(likes_apply(&just, &message));
		assert_int_equal(likes_apply(&none, &message), rows[i].needs == 0);
		assert_int_equal(likes_apply(&rest, &message), rows[i].needs == 0);
	}
}

/* A slow mouse at half speed still moves: nothing is rounded away. */
static void small_movements_add_up(void **state) {
	(void)state;
	struct likes likes = with(PERMIT_ALL, 250, 1000);
	int x = 0, y = 0;
	for (int i = 0; i < 100; i++) {
		struct ipc_message message = input(INPUT_MOTION);
		message.input.x = 1;
		message.input.y = -1;
		assert_true(likes_apply(&likes, &message));
		x += message.input.x;
		y += message.input.y;
	}
	assert_int_equal(x, 25);
	assert_int_equal(y, -25);
}

static void factors_are_applied_where_they_belong(void **state) {
	(void)state;
	struct likes likes = with(PERMIT_ALL, 3000, 500);
	struct ipc_message message = input(INPUT_MOTION);
	message.input.x = 20000;
	assert_true(likes_apply(&likes, &message));
	assert_int_equal(message.input.x, INT16_MAX);
	message = input(INPUT_SCROLL);
	message.input.value = -120;
	assert_true(likes_apply(&likes, &message));
	assert_int_equal(message.input.value, -60);
	message = input(INPUT_POSITION);
	message.input.x = 10;
	assert_true(likes_apply(&likes, &message));
	assert_int_equal(message.input.x, 10);
}

static void an_older_supervisor_leaves_it_as_it_is(void **state) {
	(void)state;
	struct likes likes = with(PERMIT_ALL, 0, 0);
	struct ipc_message message = input(INPUT_MOTION);
	message.input.x = 7;
	assert_true(likes_apply(&likes, &message));
	assert_int_equal(message.input.x, 7);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(each_kind_needs_its_permission),
		UNIT(small_movements_add_up),
		UNIT(factors_are_applied_where_they_belong),
		UNIT(an_older_supervisor_leaves_it_as_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
