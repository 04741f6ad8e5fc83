/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "desktop/pace.h"

#define BEGIN (1000 * NS_PER_S)

static struct pace watched(uint32_t rate_mhz) {
	struct pace pace;
	pace_begin(&pace, rate_mhz, BEGIN);
	pace_watch(&pace, true);
	pace_free(&pace, true);
	return pace;
}

/* Renders the first picture, so that the pace is at rest. */
static struct pace at_rest(uint32_t rate_mhz) {
	struct pace pace = watched(rate_mhz);
	assert_int_equal(pace_step(&pace, BEGIN), PACE_RENDER);
	pace_rendered(&pace, true, BEGIN);
	return pace;
}

static void check_rate(uint32_t rate_mhz, unsigned pictures) {
	struct pace pace = watched(rate_mhz);
	uint64_t now = BEGIN;
	for (unsigned n = 0; n < pictures; n++) {
		assert_int_equal(pace_step(&pace, now), PACE_RENDER);
		pace_rendered(&pace, true, now);
		pace_damage(&pace, now + 2 * NS_PER_MS);
		now = pace_deadline(&pace) + n % 7 * 100 * NS_PER_US; /* late wake-ups */
	}
	uint64_t exact = BEGIN + (uint64_t)pictures * 1000 * NS_PER_S / rate_mhz;
	assert_in_range(now, exact, exact + NS_PER_MS);
}

static void sixty_hertz_stay_sixty_hertz_for_ten_minutes(void **state) {
	(void)state;
	check_rate(60000, 36000);
	check_rate(120000, 72000);
	check_rate(59940, 36000);
	check_rate(240000, 2400);
}

static void nothing_is_due_while_nothing_changes_and_nobody_watches(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_watch(&pace, false);
	assert_true(pace_deadline(&pace) == PACE_NEVER);
	assert_int_equal(pace_step(&pace, BEGIN + 100 * NS_PER_S), PACE_NOTHING);
}

static void an_idle_desktop_answers_at_once(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN + 123456789;
	pace_damage(&pace, now);
	assert_true(pace_deadline(&pace) == now);
	assert_int_equal(pace_step(&pace, now), PACE_RENDER);
	pace_rendered(&pace, true, now);
	pace_damage(&pace, now + NS_PER_MS);
	assert_int_equal(pace_deadline(&pace) - now, pace_period_ns(&pace));
}

static void a_busy_encoder_delays_and_a_free_one_gets_it_at_once(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_free(&pace, false);
	pace_damage(&pace, BEGIN + 5 * NS_PER_MS);
	assert_true(pace_deadline(&pace) == PACE_NEVER);
	uint64_t now = BEGIN + 25 * NS_PER_MS; /* between tick 1 and 2 */
	assert_int_equal(pace_step(&pace, now), PACE_NOTHING);
	pace_free(&pace, true);
	assert_int_equal(pace_step(&pace, now), PACE_RENDER);
	pace_rendered(&pace, true, now);
	/* and the grid has not moved */
	pace_damage(&pace, now + NS_PER_MS);
	assert_true(pace_deadline(&pace) == BEGIN + 2 * 1000 * NS_PER_S / 60000);
}

static void the_grid_is_not_run_ahead_of(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_damage(&pace, BEGIN + NS_PER_MS);
	assert_int_equal(pace_step(&pace, BEGIN + 10 * NS_PER_MS), PACE_NOTHING);
	assert_int_equal(pace_step(&pace, BEGIN + 16666667), PACE_RENDER);
}

static void a_still_picture_is_refined_then_repeated_each_second(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t period = pace_period_ns(&pace);
	uint64_t at = BEGIN;
	for (unsigned step = 0; step < PACE_STILL_STEPS; step++) {
		at = BEGIN + (period << step);
		assert_true(pace_deadline(&pace) == at);
		assert_int_equal(pace_step(&pace, at), PACE_REPEAT);
	}
	for (unsigned second = 1; second < 5; second++) {
		assert_true(pace_deadline(&pace) == at + second * NS_PER_S);
		assert_int_equal(pace_step(&pace, at + second * NS_PER_S), PACE_REPEAT);
	}
}

static void missed_refinements_are_not_made_up_for(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_free(&pace, false);
	assert_true(pace_deadline(&pace) == PACE_NEVER);
	pace_free(&pace, true);
	uint64_t now = BEGIN + 10 * NS_PER_S;
	assert_int_equal(pace_step(&pace, now), PACE_REPEAT);
	assert_int_equal(pace_step(&pace, now), PACE_NOTHING);
}

static void a_change_starts_the_refinements_anew(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN + 5 * NS_PER_S;
	assert_int_equal(pace_step(&pace, now), PACE_REPEAT);
	pace_damage(&pace, now);
	assert_int_equal(pace_step(&pace, now), PACE_RENDER);
	pace_rendered(&pace, true, now);
	assert_true(pace_deadline(&pace) == now + pace_period_ns(&pace));
}

static void a_frame_without_change_does_not_restart_the_refinements(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN + 5 * NS_PER_S;
	assert_int_equal(pace_step(&pace, now), PACE_REPEAT);
	uint64_t before = pace_deadline(&pace);
	pace_damage(&pace, now);
	assert_int_equal(pace_step(&pace, now), PACE_RENDER);
	pace_rendered(&pace, false, now);
	assert_true(pace_deadline(&pace) == before);
}

static void a_request_is_answered_also_when_still(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN + 100 * NS_PER_MS;
	assert_int_equal(pace_step(&pace, now), PACE_REPEAT);
	pace_ask(&pace);
	assert_int_equal(pace_step(&pace, now), PACE_REPEAT);
	assert_int_equal(pace_step(&pace, now), PACE_NOTHING);
}

static void unwatched_clients_get_slow_callbacks_and_no_rendering(void **state) {
	(void)state;
	struct pace pace;
	pace_begin(&pace, 60000, BEGIN);
	uint64_t now = BEGIN;
	assert_int_equal(pace_step(&pace, now), PACE_CALLBACKS);
	assert_true(pace_deadline(&pace) == PACE_NEVER);
	pace_damage(&pace, now);
	assert_true(pace_deadline(&pace) == now + PACE_UNWATCHED_MS * NS_PER_MS);
	assert_int_equal(pace_step(&pace, now + NS_PER_MS), PACE_NOTHING);
	/* The first watcher gets a picture at once. */
	pace_watch(&pace, true);
	pace_free(&pace, true);
	assert_int_equal(pace_step(&pace, now + NS_PER_MS), PACE_RENDER);
}

static void a_new_size_needs_a_new_picture(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_restart(&pace, 30000, BEGIN + NS_PER_S);
	pace_ask(&pace);
	assert_int_equal(pace_step(&pace, BEGIN + NS_PER_S), PACE_RENDER);
	pace_rendered(&pace, true, BEGIN + NS_PER_S);
	assert_int_equal(pace_deadline(&pace) - BEGIN - NS_PER_S, 33333333);
}

/* An encoder that takes 40 ms at 60 Hz: what it could not take is counted, no more. */
static void pictures_that_nobody_could_take_are_counted(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN;
	for (int i = 0; i < 30; i++) {
		pace_free(&pace, false);
		pace_damage(&pace, now + 2 * NS_PER_MS);
		now += 40 * NS_PER_MS;
		assert_int_equal(pace_step(&pace, now), PACE_NOTHING);
		pace_free(&pace, true);
		assert_int_equal(pace_step(&pace, now), PACE_RENDER);
		pace_rendered(&pace, true, now);
	}
	/* 1.2 s hold 72 pictures; 30 were shown, and one may be either. */
	assert_in_range(pace.skipped, 41, 43);
}

static void an_app_that_draws_slowly_drops_nothing(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	uint64_t now = BEGIN;
	for (int i = 0; i < 30; i++) {
		now += 25 * NS_PER_MS;
		pace_damage(&pace, now);
		uint64_t due = pace_deadline(&pace) > now ? pace_deadline(&pace) : now;
		assert_int_equal(pace_step(&pace, due), PACE_RENDER);
		pace_rendered(&pace, true, due);
	}
	assert_int_equal(pace.skipped, 0);
}

static void what_nobody_watched_is_not_dropped(void **state) {
	(void)state;
	struct pace pace = at_rest(60000);
	pace_watch(&pace, false);
	pace_damage(&pace, BEGIN + NS_PER_S);
	pace_watch(&pace, true);
	pace_free(&pace, true);
	assert_int_equal(pace_step(&pace, BEGIN + 9 * NS_PER_S), PACE_RENDER);
	pace_rendered(&pace, true, BEGIN + 9 * NS_PER_S);
	assert_int_equal(pace.skipped, 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(sixty_hertz_stay_sixty_hertz_for_ten_minutes),
		UNIT(nothing_is_due_while_nothing_changes_and_nobody_watches),
		UNIT(an_idle_desktop_answers_at_once),
		UNIT(a_busy_encoder_delays_and_a_free_one_gets_it_at_once),
		UNIT(the_grid_is_not_run_ahead_of),
		UNIT(a_still_picture_is_refined_then_repeated_each_second),
		UNIT(missed_refinements_are_not_made_up_for),
		UNIT(a_change_starts_the_refinements_anew),
		UNIT(a_frame_without_change_does_not_restart_the_refinements),
		UNIT(a_request_is_answered_also_when_still),
		UNIT(unwatched_clients_get_slow_callbacks_and_no_rendering),
		UNIT(a_new_size_needs_a_new_picture),
		UNIT(pictures_that_nobody_could_take_are_counted),
		UNIT(an_app_that_draws_slowly_drops_nothing),
		UNIT(what_nobody_watched_is_not_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
