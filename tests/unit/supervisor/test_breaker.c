/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "supervisor/breaker.h"

enum {
	PERIOD_MS = 300000,
};

static void a_quiet_host_is_tried_once_a_period(void **state) {
	(void)state;
	struct breaker breaker = breaker_begin(1000, PERIOD_MS);
	assert_int_equal(breaker_step(&breaker, BREAKER_DUE, 1000), BREAKER_TRY);
	assert_false(breaker_refuses(&breaker));
	assert_int_equal(breaker.next_ms, 0);
	assert_int_equal(breaker_step(&breaker, BREAKER_PASSED, 2000), BREAKER_NOTE);
	assert_int_equal(breaker.next_ms, 2000 + PERIOD_MS);
}

static void whoever_streams_puts_the_trial_off(void **state) {
	(void)state;
	struct breaker breaker = breaker_begin(1000, PERIOD_MS);
	assert_int_equal(breaker_step(&breaker, BREAKER_PROVEN, 900), BREAKER_NOTE);
	assert_int_equal(breaker.next_ms, 900 + PERIOD_MS);
}

static void it_opens_backs_off_and_closes_by_itself(void **state) {
	(void)state;
	struct breaker breaker = breaker_begin(1000, PERIOD_MS);
	breaker_step(&breaker, BREAKER_DUE, 1000);
	assert_int_equal(breaker_step(&breaker, BREAKER_FAILED, 2000), BREAKER_TRIP);
	assert_true(breaker_refuses(&breaker));
	uint64_t now_ms = 2000, waited_ms = 0;
	for (int i = 0; i < 12; i++) {
		uint64_t wait_ms = breaker.next_ms - now_ms;
		assert_true(wait_ms >= waited_ms && wait_ms >= BREAKER_RETRY_MS &&
				wait_ms <= BREAKER_RETRY_MAX_MS);
		waited_ms = wait_ms;
		now_ms = breaker.next_ms;
		assert_int_equal(breaker_step(&breaker, BREAKER_DUE, now_ms), BREAKER_TRY);
		assert_true(breaker_refuses(&breaker));
		/* One at a time. */
		assert_int_equal(breaker_step(&breaker, BREAKER_DUE, now_ms), BREAKER_IGNORE);
		assert_int_equal(breaker_step(&breaker, BREAKER_FAILED, now_ms), BREAKER_NOTE);
	}
	assert_int_equal(waited_ms, BREAKER_RETRY_MAX_MS);
	breaker_step(&breaker, BREAKER_DUE, now_ms);
	assert_int_equal(breaker_step(&breaker, BREAKER_PASSED, now_ms), BREAKER_CLOSE);
	assert_false(breaker_refuses(&breaker));
	assert_int_equal(breaker.failures, 0);
}

static void a_picture_of_a_user_closes_it(void **state) {
	(void)state;
	struct breaker breaker = { .state = BREAKER_OPEN, .period_ms = PERIOD_MS };
	assert_int_equal(breaker_step(&breaker, BREAKER_PROVEN, 5), BREAKER_CLOSE);
	assert_false(breaker_refuses(&breaker));
	breaker.state = BREAKER_TRYING;
	assert_int_equal(breaker_step(&breaker, BREAKER_PROVEN, 5), BREAKER_CLOSE);
	assert_int_equal(breaker.state,
			BREAKER_PROVING); /* the trial goes on, and its word counts */
	assert_int_equal(breaker_step(&breaker, BREAKER_FAILED, 5), BREAKER_TRIP);
}

static void a_missing_service_opens_it_and_a_trial_must_close_it(void **state) {
	(void)state;
	struct breaker breaker = breaker_begin(0, PERIOD_MS);
	assert_int_equal(breaker_step(&breaker, BREAKER_MISSING, 10), BREAKER_TRIP);
	assert_true(breaker_refuses(&breaker));
	assert_int_equal(breaker.next_ms, 0);
	assert_int_equal(breaker_step(&breaker, BREAKER_MISSING, 20), BREAKER_IGNORE);
	assert_int_equal(breaker_step(&breaker, BREAKER_BACK, 30), BREAKER_NOTE);
	assert_true(breaker_refuses(&breaker));
	assert_int_equal(breaker.next_ms, 30);
	assert_int_equal(breaker_step(&breaker, BREAKER_DUE, 30), BREAKER_TRY);
	assert_int_equal(breaker_step(&breaker, BREAKER_MISSING, 40), BREAKER_DROP);
	assert_int_equal(breaker_step(&breaker, BREAKER_FAILED, 50), BREAKER_IGNORE);
}

static void suspicion_asks_for_a_trial_but_not_for_a_storm(void **state) {
	(void)state;
	struct breaker breaker = breaker_begin(0, PERIOD_MS);
	breaker_step(&breaker, BREAKER_PROVEN, 1000);
	breaker_step(&breaker, BREAKER_SUSPECTED, 2000);
	assert_int_equal(breaker.next_ms, 2000);
	breaker_step(&breaker, BREAKER_DUE, 2000);
	breaker_step(&breaker, BREAKER_PASSED, 3000);
	breaker_step(&breaker, BREAKER_SUSPECTED, 4000);
	assert_int_equal(breaker.next_ms, 2000 + BREAKER_SUSPECT_MS);
}

static void a_void_trial_changes_no_verdict(void **state) {
	(void)state;
	struct breaker breaker = { .state = BREAKER_PROVING };
	breaker_step(&breaker, BREAKER_VOID, 10);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	assert_true(breaker.next_ms > 10);
	breaker.state = BREAKER_TRYING;
	breaker_step(&breaker, BREAKER_VOID, 10);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	/* Not again and again without a pause, either. */
	uint64_t wait_ms = breaker.next_ms - 10;
	breaker_step(&breaker, BREAKER_DUE, 10);
	breaker_step(&breaker, BREAKER_VOID, 10);
	assert_true(breaker.next_ms - 10 > wait_ms);
}

static void no_event_is_out_of_place_anywhere(void **state) {
	(void)state;
	for (int s = 0; s < BREAKER_STATES; s++) {
		for (int e = 0; e < BREAKER_EVENTS; e++) {
			struct breaker breaker = { .state = (enum breaker_state)s };
			assert_int_not_equal(breaker_step(&breaker, (enum breaker_event)e, 1),
					BREAKER_REFUSE);
			assert_non_null(breaker_state_name(breaker.state));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_quiet_host_is_tried_once_a_period),
		UNIT(whoever_streams_puts_the_trial_off),
		UNIT(it_opens_backs_off_and_closes_by_itself),
		UNIT(a_picture_of_a_user_closes_it),
		UNIT(a_missing_service_opens_it_and_a_trial_must_close_it),
		UNIT(suspicion_asks_for_a_trial_but_not_for_a_storm),
		UNIT(a_void_trial_changes_no_verdict),
		UNIT(no_event_is_out_of_place_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
