/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/ages.h"

static void the_median_and_the_99th_percentile_are_of_what_was_added(void **state) {
	(void)state;
	struct ages ages = { 0 };
	uint32_t p50, p99;
	for (uint64_t us = 100; us > 0; us--) {
		ages_add(&ages, us * NS_PER_US);
	}
	ages_take(&ages, &p50, &p99);
	assert_int_equal(p50, 50);
	assert_int_equal(p99, 99);
	ages_take(&ages, &p50, &p99);
	assert_int_equal(p50, 0);
	assert_int_equal(p99, 0);
}

static void more_than_it_holds_is_no_harm(void **state) {
	(void)state;
	struct ages ages = { 0 };
	uint32_t p50, p99;
	for (uint64_t i = 0; i < 3 * AGES_MAX; i++) {
		ages_add(&ages, 7 * NS_PER_US);
	}
	ages_add(&ages, UINT64_MAX);
	ages_take(&ages, &p50, &p99);
	assert_int_equal(p50, 7);
}

static void unknown_moments_have_no_distance(void **state) {
	(void)state;
	assert_int_equal(ages_between(0, 5), 0);
	assert_int_equal(ages_between(5, 0), 0);
	assert_int_equal(ages_between(9, 5), 0);
	assert_int_equal(ages_between(5, 9), 4);
}

static void hand_overs_fall_into_their_class(void **state) {
	(void)state;
	assert_int_equal(ages_hand_class(0), 0);
	assert_int_equal(ages_hand_class(100 * NS_PER_US - 1), 0);
	assert_int_equal(ages_hand_class(100 * NS_PER_US), 1);
	assert_int_equal(ages_hand_class(500 * NS_PER_US - 1), 4);
	assert_int_equal(ages_hand_class(2000 * NS_PER_US - 1), 8);
	assert_int_equal(ages_hand_class(5 * NS_PER_MS), AGES_HAND_CLASSES - 1);
	assert_int_equal(ages_hand_class(UINT64_MAX), AGES_HAND_CLASSES - 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_median_and_the_99th_percentile_are_of_what_was_added),
		UNIT(more_than_it_holds_is_no_harm),
		UNIT(unknown_moments_have_no_distance),
		UNIT(hand_overs_fall_into_their_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
