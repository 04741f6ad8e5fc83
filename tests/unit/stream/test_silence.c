/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/silence.h"

#define MS NS_PER_MS

static void one_packet_is_due_for_each_duration(void **state) {
	(void)state;
	struct silence silence = { 0 };
	assert_false(silence_due(&silence, 1000 * MS));
	silence_begin(&silence, 5 * MS, 1000 * MS);
	assert_false(silence_due(&silence, 1005 * MS - 1));
	assert_true(silence_due(&silence, 1005 * MS));
	assert_false(silence_due(&silence, 1005 * MS));
}

static void lateness_does_not_add_up(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0);
	unsigned sent = 0;
	for (uint64_t now = 0; now <= 1000 * MS; now += 7 * MS) {
		while (silence_due(&silence, now)) {
			sent++;
		}
	}
	assert_int_equal(sent, 994 / 5);
}

static void a_standstill_is_not_made_up_for(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0);
	unsigned sent = 0;
	while (silence_due(&silence, 2000 * MS)) {
		sent++;
	}
	assert_int_equal(sent, 1);
	assert_true(silence.due_ns == 2005 * MS);
}

static void sound_ends_the_repetition(void **state) {
	(void)state;
	struct silence silence;
	silence_begin(&silence, 5 * MS, 0);
	silence_end(&silence);
	assert_false(silence_due(&silence, 100 * MS));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(one_packet_is_due_for_each_duration),
		UNIT(lateness_does_not_add_up),
		UNIT(a_standstill_is_not_made_up_for),
		UNIT(sound_ends_the_repetition),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
