/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/switching.h"

static void pictures_move_when_the_new_ring_has_a_key(void **state) {
	(void)state;
	struct switching switching = { 0 };
	assert_false(switching_pictures_move(&switching, true));
	switching_begin(&switching, NS_PER_S);
	assert_false(switching_pictures_move(&switching, false));
	assert_true(switching_pictures_move(&switching, true));
	assert_false(switching_pictures_move(&switching, true));
	assert_true(switching_deadline_ns(&switching) == UINT64_MAX);
	assert_false(switching_overdue(&switching, 10 * NS_PER_S));
}

static void sound_moves_after_pictures_and_only_between_groups(void **state) {
	(void)state;
	struct switching switching = { 0 };
	switching_begin(&switching, NS_PER_S);
	assert_false(switching_sound_moves(&switching, 4));
	assert_true(switching_pictures_move(&switching, true));
	assert_false(switching_sound_moves(&switching, 5));
	assert_false(switching_sound_moves(&switching, 65535));
	assert_true(switching_sound_moves(&switching, 0));
	assert_false(switching_sound_moves(&switching, 4));
}

static void without_a_key_in_time_the_viewer_stays(void **state) {
	(void)state;
	struct switching switching = { 0 };
	const uint64_t limit_ns = NS_PER_S + SWITCHING_MS * NS_PER_MS;
	switching_begin(&switching, NS_PER_S);
	assert_true(switching_deadline_ns(&switching) == limit_ns);
	assert_false(switching_overdue(&switching, limit_ns - 1));
	assert_true(switching_overdue(&switching, limit_ns));
	assert_false(switching_overdue(&switching, limit_ns));
	assert_false(switching_pictures_move(&switching, true));
	assert_false(switching_sound_moves(&switching, 0));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(pictures_move_when_the_new_ring_has_a_key),
		UNIT(sound_moves_after_pictures_and_only_between_groups),
		UNIT(without_a_key_in_time_the_viewer_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
