/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/pace.h"

static void a_small_frame_leaves_at_once(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace, 20000, 6000);
	pace_begin(&pace, PACE_BURST, 1408, NS_PER_S);
	assert_int_equal(pace_allowed(&pace, NS_PER_S), PACE_BURST);
	assert_true(pace_next_ns(&pace, 0) == NS_PER_S);
}

static void a_large_frame_is_spread_over_half_a_picture_time_at_most(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace, 20000, 6000);
	uint64_t begin = NS_PER_S, half = 100 * NS_PER_S / 6000 / 2;
	pace_begin(&pace, 2000, 1408, begin);
	assert_int_equal(pace_allowed(&pace, begin), PACE_BURST);
	assert_true(pace_allowed(&pace, begin + half / 2) < 1040);
	assert_true(pace_allowed(&pace, begin + half / 2) > 1020);
	assert_int_equal(pace_allowed(&pace, begin + half), 2000);
}

static void what_is_beyond_the_burst_keeps_a_few_times_the_ceiling(void **state) {
	(void)state;
	struct pace pace;
	pace_init(&pace, 100000, 6000);
	pace_begin(&pace, 180, 1408, 0);
	/* 116 datagrams at 400 Mbit/s */
	assert_true(pace.spread_ns > 3200 * NS_PER_US && pace.spread_ns < 3300 * NS_PER_US);
}

static void every_step_is_allowed_when_it_was_said_to_be(void **state) {
	(void)state;
	for (uint32_t total = 1; total < 1500; total += 7) {
		struct pace pace;
		pace_init(&pace, 30000 + total * 100, 12000);
		pace_begin(&pace, total, 1200, 12345);
		uint32_t sent = 0;
		uint64_t now = 12345;
		for (int turns = 0; sent < total; turns++) {
			assert_true(turns < 200);
			uint64_t next = pace_next_ns(&pace, sent);
			assert_true(next >= 12345);
			now = next > now ? next : now;
			uint32_t allowed = pace_allowed(&pace, now);
			assert_true(allowed >= sent + PACE_STEP || allowed == total);
			sent = allowed;
		}
		assert_true(now <= 12345 + pace.spread_max_ns);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_small_frame_leaves_at_once),
		UNIT(a_large_frame_is_spread_over_half_a_picture_time_at_most),
		UNIT(what_is_beyond_the_burst_keeps_a_few_times_the_ceiling),
		UNIT(every_step_is_allowed_when_it_was_said_to_be),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
