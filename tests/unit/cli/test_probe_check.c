/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "cli/probe_check.h"

static void each_press_is_timed_and_the_next_waits_for_it(void **state) {
	(void)state;
	struct probe_check check = { 0 };
	uint64_t now_ns = NS_PER_S;
	assert_int_equal(probe_check_deadline_ns(&check), UINT64_MAX);
	probe_check_add(&check, 3, now_ns);
	for (uint16_t seen = 10; seen < 13; seen++) {
		now_ns = probe_check_deadline_ns(&check);
		assert_true(probe_check_is_due(&check, seen, now_ns));
		assert_false(probe_check_is_due(&check, seen, now_ns));
		/* A picture from before the press, and one that has not seen it. */
		probe_check_see(&check, (uint16_t)(seen + 1), now_ns - 1, now_ns);
		probe_check_see(&check, seen, now_ns + NS_PER_MS, now_ns + NS_PER_MS);
		assert_true(check.waits);
		probe_check_see(&check, (uint16_t)(seen + 1), now_ns + 20 * NS_PER_MS,
				now_ns + 25 * NS_PER_MS);
		assert_false(check.waits);
	}
	assert_int_equal(probe_check_deadline_ns(&check), UINT64_MAX);
	assert_int_equal(check.arrived_ms.count, 3);
	assert_true(samples_percentile(&check.arrived_ms, 0.5) == 20);
	assert_true(samples_percentile(&check.decoded_ms, 1) == 25);
	assert_int_equal(check.missed, 0);
	probe_check_finish(&check);
}

static void a_press_that_nobody_saw_is_missed_and_the_next_follows(void **state) {
	(void)state;
	struct probe_check check = { 0 };
	probe_check_add(&check, 2, 0);
	assert_true(probe_check_is_due(&check, 0, 0));
	uint64_t limit_ns = probe_check_deadline_ns(&check);
	assert_int_equal(limit_ns, CHECK_LIMIT_MS * NS_PER_MS);
	assert_true(probe_check_is_due(&check, 0, limit_ns));
	assert_int_equal(check.missed, 1);
	assert_false(probe_check_is_due(&check, 0, 2 * limit_ns));
	assert_int_equal(check.missed, 2);
	probe_check_finish(&check);
}

static void the_count_may_wrap(void **state) {
	(void)state;
	struct probe_check check = { 0 };
	probe_check_add(&check, 1, 0);
	assert_true(probe_check_is_due(&check, UINT16_MAX, 0));
	probe_check_see(&check, 0, 5 * NS_PER_MS, 6 * NS_PER_MS);
	assert_int_equal(check.arrived_ms.count, 1);
	probe_check_finish(&check);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(each_press_is_timed_and_the_next_waits_for_it),
		UNIT(a_press_that_nobody_saw_is_missed_and_the_next_follows),
		UNIT(the_count_may_wrap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
