/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "supervisor/life.h"

static enum life_action step(struct life *life, enum life_event event) {
	return life_step(life, event, 1000);
}

static void an_ordinary_evening(void **state) {
	(void)state;
	struct life life = life_begin(0);
	assert_int_equal(life.deadline_ms, LIFE_START_MS);
	assert_int_equal(step(&life, LIFE_DESKTOP_READY), LIFE_ANSWER_LAUNCH);
	assert_int_equal(step(&life, LIFE_ANNOUNCED), LIFE_OPEN_VIEW);
	assert_int_equal(step(&life, LIFE_VIEW_READY), LIFE_ANSWER_ANNOUNCE);
	assert_int_equal(step(&life, LIFE_FIRST_PACKET), LIFE_NOTE_STREAMING);
	assert_int_equal(life.deadline_ms, 0);
	assert_int_equal(step(&life, LIFE_VIEWER_LOST), LIFE_CLOSE_VIEW);
	assert_int_equal(life.state, LIFE_PAUSED);
	assert_int_equal(life.deadline_ms, 0);
	assert_int_equal(step(&life, LIFE_RELAUNCH), LIFE_RENEW);
	assert_int_equal(step(&life, LIFE_ANNOUNCED), LIFE_OPEN_VIEW);
	assert_int_equal(step(&life, LIFE_VIEW_READY), LIFE_ANSWER_ANNOUNCE);
	assert_int_equal(step(&life, LIFE_FIRST_PACKET), LIFE_NOTE_STREAMING);
	assert_int_equal(step(&life, LIFE_QUIT), LIFE_STOP_ALL);
	assert_int_equal(step(&life, LIFE_ALL_GONE), LIFE_REAP);
	assert_int_equal(life.state, LIFE_ENDED);
}

static void a_resume_takes_over_from_a_viewer_that_seems_alive(void **state) {
	(void)state;
	const enum life_state watched[] = { LIFE_PREPARING, LIFE_CONNECTING, LIFE_STREAMING };
	for (size_t i = 0; i < 3; i++) {
		struct life life = { .state = watched[i] };
		assert_int_equal(step(&life, LIFE_RELAUNCH), LIFE_TAKE_OVER);
		assert_int_equal(life.state, LIFE_LAUNCHED);
	}
}

/* What was on its way must not keep a hanging session alive. */
static void late_news_do_not_move_a_deadline(void **state) {
	(void)state;
	const enum life_event late[] = { LIFE_DESKTOP_READY, LIFE_VIEW_READY, LIFE_FIRST_PACKET,
		LIFE_VIEWER_LOST, LIFE_QUIT, LIFE_BROKEN };
	for (size_t i = 0; i < 6; i++) {
		struct life life = { .state = LIFE_ENDING, .deadline_ms = 77 };
		assert_int_equal(step(&life, late[i]), LIFE_IGNORE);
		assert_int_equal(life.deadline_ms, 77);
		assert_int_equal(life.state, LIFE_ENDING);
	}
}

/* From wherever it is, a session ends in finitely many overdue deadlines, or it
 * is one that may wait for ever (nobody watches, or somebody does). */
static void every_state_with_a_deadline_leads_on(void **state) {
	(void)state;
	for (int s = 0; s < LIFE_ENDED; s++) {
		struct life life = { .state = (enum life_state)s };
		for (int i = 0; i < 5 && life.state != LIFE_ENDED && life.state != LIFE_PAUSED;
				i++) {
			enum life_action action = step(&life, LIFE_OVERDUE);
			if (s == LIFE_STREAMING) {
				assert_int_equal(action, LIFE_REFUSE);
				break;
			}
			assert_true(action > LIFE_IGNORE);
		}
		assert_true(life.state == LIFE_ENDED || life.state == LIFE_PAUSED ||
				s == LIFE_STREAMING);
	}
}

static void quit_and_breakage_end_every_living_state(void **state) {
	(void)state;
	for (int s = 0; s < LIFE_ENDING; s++) {
		struct life quit = { .state = (enum life_state)s };
		struct life broken = quit;
		assert_true(step(&quit, LIFE_QUIT) > LIFE_IGNORE);
		assert_true(step(&broken, LIFE_BROKEN) > LIFE_IGNORE);
		assert_int_equal(quit.state, LIFE_ENDING);
		assert_int_equal(broken.state, LIFE_ENDING);
		assert_int_equal(quit.deadline_ms, 1000 + LIFE_STOP_MS);
	}
}

/* A client that is on its way, watching or gone finds everything as it left it. */
static void a_desktop_that_comes_back_moves_nothing(void **state) {
	(void)state;
	for (int s = LIFE_LAUNCHED; s < LIFE_ENDING; s++) {
		struct life life = { .state = (enum life_state)s };
		assert_int_equal(step(&life, LIFE_DESKTOP_GONE), LIFE_RESTART_DESKTOP);
		assert_int_equal(life.state, s);
		assert_int_not_equal(step(&life, LIFE_DESKTOP_READY), LIFE_REFUSE);
		assert_int_equal(life.state, s);
	}
	struct life starting = life_begin(0);
	assert_int_equal(step(&starting, LIFE_DESKTOP_GONE), LIFE_FAIL_LAUNCH);
}

static void nothing_happens_after_the_end(void **state) {
	(void)state;
	for (int event = 0; event < LIFE_EVENTS; event++) {
		struct life life = { .state = LIFE_ENDED };
		assert_int_equal(step(&life, (enum life_event)event), LIFE_REFUSE);
	}
}

static void everything_has_a_name(void **state) {
	(void)state;
	for (int s = 0; s < LIFE_STATES; s++) {
		assert_non_null(life_state_name((enum life_state)s));
	}
	for (int event = 0; event < LIFE_EVENTS; event++) {
		assert_non_null(life_event_name((enum life_event)event));
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(an_ordinary_evening),
		UNIT(a_resume_takes_over_from_a_viewer_that_seems_alive),
		UNIT(late_news_do_not_move_a_deadline),
		UNIT(every_state_with_a_deadline_leads_on),
		UNIT(quit_and_breakage_end_every_living_state),
		UNIT(a_desktop_that_comes_back_moves_nothing),
		UNIT(nothing_happens_after_the_end),
		UNIT(everything_has_a_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
