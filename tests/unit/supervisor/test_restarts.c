/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "supervisor/restarts.h"

static const struct restarts_rule rule = {
	.at_once = 2, .most = 5, .first_ms = 100, .wait_max_ms = 150
};

static void rare_failures_are_answered_at_once_for_ever(void **state) {
	(void)state;
	struct restarts restarts = { 0 };
	for (uint64_t i = 1; i < 100; i++) {
		uint32_t wait_ms = 1;
		assert_true(restarts_failed(&restarts, &rule, 7, i * 31000, &wait_ms));
		assert_int_equal(wait_ms, 0);
	}
	assert_int_equal(restarts.total, 99);
	assert_false(restarts.given_up);
}

static void failures_in_a_row_wait_longer_and_are_given_up(void **state) {
	(void)state;
	struct restarts restarts = { 0 };
	static const uint32_t waits[] = { 0, 0, 100, 150, 150 };
	for (unsigned i = 0; i < ARRAY_LEN(waits); i++) {
		uint32_t wait_ms = 1;
		assert_true(restarts_failed(&restarts, &rule, 7, 1000 + i, &wait_ms));
		assert_int_equal(wait_ms, waits[i]);
		assert_int_equal(restarts.next_ms, wait_ms ? 1000 + i + wait_ms : 0);
	}
	uint32_t wait_ms;
	restarts_tried(&restarts);
	assert_int_equal(restarts.next_ms, 0);
	assert_false(restarts_failed(&restarts, &rule, 8, 2000, &wait_ms));
	assert_true(restarts.given_up);
	assert_int_equal(restarts.reason, 8);
	assert_int_equal(restarts_recent(&restarts, 2000), 6);
	assert_int_equal(restarts_recent(&restarts, 2000 + RESTARTS_WINDOW_MS), 0);
}

static void what_lies_a_minute_back_is_forgiven(void **state) {
	(void)state;
	struct restarts restarts = { 0 };
	uint32_t wait_ms;
	for (unsigned i = 0; i < 5; i++) {
		assert_true(restarts_failed(&restarts, &rule, 7, 1000 + i, &wait_ms));
	}
	assert_true(restarts_failed(&restarts, &rule, 7, 1004 + RESTARTS_WINDOW_MS, &wait_ms));
	assert_int_equal(wait_ms, 0);
	assert_int_equal(restarts.recent, 1);
}

static void the_third_refusal_of_a_minute_is_one_too_many(void **state) {
	(void)state;
	struct restarts refusals = { 0 };
	for (uint64_t i = 1; i < 50; i++) { /* two in any minute: it goes on */
		assert_false(restarts_refused(&refusals, 7, i * 31000));
	}
	uint64_t now_ms = 50 * 31000 + RESTARTS_WINDOW_MS;
	for (unsigned round = 0; round < 2; round++) { /* its successor is counted anew */
		assert_false(restarts_refused(&refusals, 7, now_ms));
		assert_false(restarts_refused(&refusals, 7, now_ms + 1));
		assert_true(restarts_refused(&refusals, 7, now_ms + 2));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(rare_failures_are_answered_at_once_for_ever),
		UNIT(failures_in_a_row_wait_longer_and_are_given_up),
		UNIT(what_lies_a_minute_back_is_forgiven),
		UNIT(the_third_refusal_of_a_minute_is_one_too_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
