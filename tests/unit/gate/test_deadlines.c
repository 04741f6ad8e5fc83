/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "gate/deadlines.h"

enum {
	LISTS = 3,
	MANY = 500,
};

static void what_is_due_comes_out_whatever_order_it_went_in(void **state) {
	(void)state;
	struct deadline_list lists[LISTS] = { { NULL, NULL } };
	static struct deadline deadlines[MANY];
	for (unsigned i = 0; i < MANY; i++) {
		deadlines[i] = (struct deadline){ .list = NULL };
		deadline_arm(&lists[i % LISTS], &deadlines[i], 1000 + (i * 7919) % MANY);
	}
	for (unsigned i = 0; i < MANY; i += 2) {
		deadline_disarm(&deadlines[i]);
		deadline_disarm(&deadlines[i]); /* harmless */
	}
	assert_null(deadlines_take_due(lists, LISTS, 999));
	unsigned taken = 0;
	for (uint64_t next; (next = deadlines_next(lists, LISTS)) != UINT64_MAX;) {
		assert_null(deadlines_take_due(lists, LISTS, next - 1));
		struct deadline *due;
		while ((due = deadlines_take_due(lists, LISTS, next))) {
			assert_int_equal(due->due_us, next);
			assert_null(due->list);
			taken++;
		}
	}
	assert_int_equal(taken, MANY / 2);
}

static void arming_again_moves_to_another_list_and_time(void **state) {
	(void)state;
	struct deadline_list lists[2] = { { NULL, NULL } };
	struct deadline one = { .list = NULL }, two = { .list = NULL };
	deadline_arm(&lists[0], &one, 10);
	deadline_arm(&lists[0], &two, 20);
	deadline_arm(&lists[1], &one, 30);
	assert_int_equal(deadlines_next(lists, 2), 20);
	assert_ptr_equal(deadlines_take_due(lists, 2, 25), &two);
	assert_null(deadlines_take_due(lists, 2, 25));
	deadline_disarm(&one);
	assert_int_equal(deadlines_next(lists, 2), UINT64_MAX);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(what_is_due_comes_out_whatever_order_it_went_in),
		UNIT(arming_again_moves_to_another_list_and_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
