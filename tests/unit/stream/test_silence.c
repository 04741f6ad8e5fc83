/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/silence.h"

#define MS NS_PER_MS

static unsigned count_due(struct silence *silence, uint64_t now_ns) {
	unsigned count = 0;
	while (silence_due(silence, now_ns)) {
		count++;
	}
	return count;
}

static void packets_leave_in_bursts_that_end_with_their_group(void **state) {
	(void)state;
	struct silence silence = { 0 };
	assert_false(silence_due(&silence, 1000 * MS));
	silence_begin(&silence, 5 * MS, 6, 1000 * MS); /* 6 and 7 end the group */
	assert_true(silence.wake_ns == 1010 * MS);
	assert_int_equal(count_due(&silence, 1010 * MS - 1), 0);
	assert_int_equal(count_due(&silence, 1010 * MS), 2);
	assert_true(silence.wake_ns == 1030 * MS);
	assert_int_equal(count_due(&silence, 1030 * MS - 1), 0);
	assert_int_equal(count_due(&silence, 1030 * MS), 4);
}

static void a_long_silence_has_longer_bursts(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0, 0);
	uint64_t now_ns = 0;
	for (unsigned i = 0; i < SILENCE_LONG_AFTER; i++) {
		now_ns += 20 * MS;
		assert_int_equal(count_due(&silence, now_ns), 4);
	}
	assert_int_equal(count_due(&silence, now_ns + 40 * MS - 1), 0);
	assert_int_equal(count_due(&silence, now_ns + 40 * MS), 8);
	silence_begin(&silence, 5 * MS, 4, now_ns);
	assert_true(silence.wake_ns == now_ns + 20 * MS);
}

static void long_packets_leave_one_by_one(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 40 * MS, 7, 0);
	assert_int_equal(count_due(&silence, 40 * MS), 1);
	assert_true(silence.wake_ns == 80 * MS);
}

static void lateness_does_not_add_up(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0, 0);
	unsigned sent = 0;
	for (uint64_t now = 0; now <= 1002 * MS; now += 3 * MS) {
		sent += count_due(&silence, now);
	}
	assert_int_equal(sent, 200);
}

static void a_standstill_is_not_made_up_for(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0, 0);
	assert_int_equal(count_due(&silence, 2000 * MS), 1);
	assert_true(silence.due_ns == 2005 * MS);
	assert_true(silence.wake_ns == 2015 * MS); /* three are left of the group */
	assert_int_equal(count_due(&silence, 2015 * MS), 3);
}

static void sound_ends_the_repetition(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0, 0);
	silence_end(&silence);
	assert_false(silence_due(&silence, 100 * MS));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(packets_leave_in_bursts_that_end_with_their_group),
		UNIT(a_long_silence_has_longer_bursts),
		UNIT(long_packets_leave_one_by_one),
		UNIT(lateness_does_not_add_up),
		UNIT(a_standstill_is_not_made_up_for),
		UNIT(sound_ends_the_repetition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
