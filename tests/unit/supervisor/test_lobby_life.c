/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "supervisor/lobby_life.h"

enum { NOW = 1000, GRACE_MS = 10000 };

static enum lobby_life_action step(struct lobby_life *life, enum lobby_life_event event) {
	return lobby_life_step(life, event, NOW);
}

static void an_ordinary_evening(void **state) {
	(void)state;
	struct lobby_life life = lobby_life_begin(0, GRACE_MS);
	assert_int_equal(life.deadline_ms, LOBBY_LIFE_START_MS);
	assert_int_equal(step(&life, LOBBY_LIFE_READY), LOBBY_LIFE_ANSWER);
	assert_int_equal(life.deadline_ms, 0);
	assert_int_equal(step(&life, LOBBY_LIFE_JOINED), LOBBY_LIFE_NOTE);
	assert_int_equal(life.state, LOBBY_LIFE_OPEN);
	assert_int_equal(step(&life, LOBBY_LIFE_LEFT), LOBBY_LIFE_NOTE);
	assert_int_equal(life.deadline_ms, NOW + GRACE_MS);
	assert_int_equal(step(&life, LOBBY_LIFE_JOINED), LOBBY_LIFE_NOTE);
	assert_int_equal(life.deadline_ms, 0);
	assert_int_equal(step(&life, LOBBY_LIFE_STOP), LOBBY_LIFE_SEND_HOME);
	assert_int_equal(step(&life, LOBBY_LIFE_LEFT), LOBBY_LIFE_STOP_ALL);
	assert_int_equal(step(&life, LOBBY_LIFE_ALL_GONE), LOBBY_LIFE_REAP);
	assert_int_equal(life.state, LOBBY_LIFE_ENDED);
}

static void only_one_that_is_to_stop_is_reaped_when_left_alone(void **state) {
	(void)state;
	struct lobby_life stays = lobby_life_begin(0, 0);
	struct lobby_life ends = lobby_life_begin(0, GRACE_MS);
	struct lobby_life *const both[] = { &stays, &ends };
	for (size_t i = 0; i < 2; i++) {
		(void)step(both[i], LOBBY_LIFE_READY);
		(void)step(both[i], LOBBY_LIFE_JOINED);
		(void)step(both[i], LOBBY_LIFE_LEFT);
		assert_int_equal(both[i]->state, LOBBY_LIFE_ALONE);
	}
	assert_int_equal(stays.deadline_ms, 0);
	assert_int_not_equal(ends.deadline_ms, 0);
	assert_int_equal(step(&ends, LOBBY_LIFE_OVERDUE), LOBBY_LIFE_STOP_ALL);
}

static void its_desktop_may_come_again_while_somebody_is_in_it(void **state) {
	(void)state;
	struct lobby_life life = { .state = LOBBY_LIFE_OPEN };
	assert_int_equal(step(&life, LOBBY_LIFE_AGAIN), LOBBY_LIFE_RESTART);
	assert_int_equal(life.state, LOBBY_LIFE_OPEN);
	assert_int_equal(step(&life, LOBBY_LIFE_READY), LOBBY_LIFE_IGNORE);
}

static void a_pause_lets_nobody_in_and_reaps_nobody(void **state) {
	(void)state;
	struct lobby_life life = { .state = LOBBY_LIFE_OPEN, .grace_ms = GRACE_MS };
	assert_int_equal(step(&life, LOBBY_LIFE_PAUSE), LOBBY_LIFE_EMPTY);
	assert_int_equal(step(&life, LOBBY_LIFE_PAUSE), LOBBY_LIFE_IGNORE);
	assert_int_equal(step(&life, LOBBY_LIFE_LEFT), LOBBY_LIFE_REST);
	assert_int_equal(life.state, LOBBY_LIFE_PAUSED);
	assert_int_equal(life.deadline_ms, 0); /* left alone for as long as it is paused */
	assert_int_equal(step(&life, LOBBY_LIFE_JOINED), LOBBY_LIFE_IGNORE);
	assert_int_equal(step(&life, LOBBY_LIFE_AGAIN), LOBBY_LIFE_RESTART);
	assert_int_equal(life.state, LOBBY_LIFE_PAUSED);
	assert_int_equal(step(&life, LOBBY_LIFE_RESUME), LOBBY_LIFE_NOTE);
	assert_int_equal(life.state, LOBBY_LIFE_ALONE);
	assert_int_equal(life.deadline_ms, NOW + GRACE_MS);
	assert_int_equal(step(&life, LOBBY_LIFE_PAUSE), LOBBY_LIFE_REST);
	assert_int_equal(step(&life, LOBBY_LIFE_STOP), LOBBY_LIFE_STOP_ALL);
	/* Who does not go home in time is put out, and it is paused all the same. */
	life = (struct lobby_life){ .state = LOBBY_LIFE_PAUSING };
	assert_int_equal(step(&life, LOBBY_LIFE_OVERDUE), LOBBY_LIFE_PUT_ASIDE);
	assert_int_equal(life.state, LOBBY_LIFE_PAUSED);
}

/* From every state in which its end has begun it ends by overdue deadlines alone. */
static void every_end_leads_to_the_end(void **state) {
	(void)state;
	for (int s = 0; s < LOBBY_LIFE_STATES; s++) {
		struct lobby_life life = { .state = (enum lobby_life_state)s };
		if (s == LOBBY_LIFE_ENDED) {
			continue;
		}
		(void)step(&life, LOBBY_LIFE_STOP);
		for (int i = 0; i < 3 && life.state != LOBBY_LIFE_ENDED; i++) {
			assert_true(life.deadline_ms != 0 ||
					lobby_life_ends((enum lobby_life_state)s));
			assert_true(step(&life, LOBBY_LIFE_OVERDUE) > LOBBY_LIFE_IGNORE);
		}
		assert_int_equal(life.state, LOBBY_LIFE_ENDED);
	}
}

/* All pairs: what is refused or ignored changes nothing; nothing leads back from an end. */
static void every_pair(void **state) {
	(void)state;
	for (int s = 0; s < LOBBY_LIFE_STATES; s++) {
		for (int e = 0; e < LOBBY_LIFE_EVENTS; e++) {
			struct lobby_life life = {
				.state = (enum lobby_life_state)s, .deadline_ms = 77, .grace_ms = 5
			};
			enum lobby_life_action action = step(&life, (enum lobby_life_event)e);
			if (action <= LOBBY_LIFE_IGNORE) {
				assert_int_equal(life.state, s);
				assert_int_equal(life.deadline_ms, 77);
			}
			if (lobby_life_ends((enum lobby_life_state)s)) {
				assert_true((int)life.state >= s && lobby_life_ends(life.state));
			}
			assert_non_null(lobby_life_state_name(life.state));
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(an_ordinary_evening),
		UNIT(only_one_that_is_to_stop_is_reaped_when_left_alone),
		UNIT(its_desktop_may_come_again_while_somebody_is_in_it),
		UNIT(a_pause_lets_nobody_in_and_reaps_nobody),
		UNIT(every_end_leads_to_the_end),
		UNIT(every_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
