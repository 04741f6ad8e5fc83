/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "ipc/reason.h"
#include "supervisor/notice_life.h"
#include "supervisor/notice_words.h"

static enum notice_action step(struct notice_life *life, enum notice_event event) {
	return notice_step(life, event, 1000);
}

static void a_desktop_is_told_of_and_then_the_app_is_seen(void **state) {
	(void)state;
	struct notice_life life = { NOTICE_OFF, 0 };
	assert_int_equal(step(&life, NOTICE_DO_AGAIN), NOTICE_OPEN);
	assert_int_equal(life.deadline_ms, 1000 + NOTICE_OPEN_MS);
	assert_int_equal(step(&life, NOTICE_WINDOW), NOTICE_IGNORE); /* it may be first */
	assert_int_equal(step(&life, NOTICE_IS_UP), NOTICE_REVEAL);
	assert_int_equal(life.deadline_ms, 1000 + NOTICE_AGAIN_MS);
	assert_int_equal(step(&life, NOTICE_WINDOW), NOTICE_IGNORE); /* not read yet */
	assert_int_equal(step(&life, NOTICE_OVERDUE), NOTICE_NOTHING);
	assert_int_equal(step(&life, NOTICE_WINDOW), NOTICE_CLOSE);
	assert_int_equal(life.state, NOTICE_OFF);
	assert_int_equal(life.deadline_ms, 0);
}

static void an_end_waits_until_it_was_read(void **state) {
	(void)state;
	struct notice_life life = { NOTICE_OFF, 0 };
	assert_int_equal(step(&life, NOTICE_DO_END), NOTICE_OPEN);
	assert_int_equal(step(&life, NOTICE_IS_UP), NOTICE_REVEAL);
	assert_int_equal(life.deadline_ms, 0); /* a client on its way has deadlines of its own */
	assert_int_equal(step(&life, NOTICE_WATCHED), NOTICE_NOTHING);
	assert_int_equal(life.deadline_ms, 1000 + NOTICE_END_MS);
	assert_int_equal(step(&life, NOTICE_DO_END), NOTICE_IGNORE); /* the first reason stays */
	assert_int_equal(step(&life, NOTICE_WINDOW), NOTICE_IGNORE);
	assert_int_equal(step(&life, NOTICE_OVERDUE), NOTICE_FINISH);
	assert_int_equal(life.state, NOTICE_OFF);
}

/* Whatever becomes of Notice or its reader: an end that is held back comes. */
static void nothing_holds_an_end_back_for_good(void **state) {
	(void)state;
	static const enum notice_event last[] = { NOTICE_UNWATCHED, NOTICE_LOST };
	for (int s = NOTICE_END; s < NOTICE_STATES; s++) {
		for (size_t i = 0; i < ARRAY_LEN(last); i++) {
			struct notice_life life = { (enum notice_state)s, 0 };
			assert_int_equal(step(&life, last[i]), NOTICE_NOTHING);
			assert_int_equal(life.deadline_ms, 1000 + NOTICE_AT_ONCE_MS);
			assert_int_equal(step(&life, NOTICE_OVERDUE), NOTICE_FINISH);
		}
		if (s != NOTICE_END_SHOWN) {
			struct notice_life life = { (enum notice_state)s, 1 };
			assert_int_equal(step(&life, NOTICE_OVERDUE), NOTICE_FINISH);
		}
	}
	struct notice_life again = { NOTICE_AGAIN, 1 };
	assert_int_equal(step(&again, NOTICE_OVERDUE), NOTICE_CLOSE_REVEAL);
}

/* All pairs: what is over is closed, what is off stays off, a state has a deadline exactly
 * if OVERDUE leads on, and nobody is shown a desktop twice. */
static void every_pair_makes_sense(void **state) {
	(void)state;
	for (int s = 0; s < NOTICE_STATES; s++) {
		assert_non_null(notice_state_name((enum notice_state)s));
		for (int event = 0; event < NOTICE_EVENTS; event++) {
			struct notice_life life = { (enum notice_state)s, 77 };
			enum notice_action action = step(&life, (enum notice_event)event);
			if (action == NOTICE_IGNORE) {
				assert_int_equal(life.state, s);
				assert_int_equal(life.deadline_ms, 77);
			} else if (life.deadline_ms == 0) {
				enum notice_state reached = life.state;
				assert_int_equal(step(&life, NOTICE_OVERDUE), NOTICE_IGNORE);
				assert_int_equal(life.state, reached);
			} else {
				assert_true(step(&life, NOTICE_OVERDUE) > NOTICE_IGNORE);
			}
			if (event == NOTICE_OVER) {
				assert_int_equal(action,
						s == NOTICE_OFF ? NOTICE_IGNORE : NOTICE_CLOSE);
			}
			assert_int_equal(action == NOTICE_OPEN,
					s == NOTICE_OFF && event <= NOTICE_DO_END);
		}
	}
}

static struct ipc_notice words_of(enum notice_state state, uint32_t reason, const char *lines) {
	struct notice_facts facts = { .state = state,
		.reason = reason,
		.title = "Doom",
		.why = "signal 11",
		.lines = lines,
		.waited_s = 12,
		.limit_s = 60 };
	struct ipc_notice words;
	notice_words(&facts, &words);
	return words;
}

static void the_words_say_what_why_and_what_next(void **state) {
	(void)state;
	struct ipc_notice words = words_of(NOTICE_AGAIN, REASON_DESKTOP_DIED, "secret\n");
	assert_string_equal(words.what, "The desktop ended unexpectedly.");
	assert_string_equal(words.why, "Why: signal 11.");
	assert_non_null(strstr(words.next, "Doom is being started again"));
	assert_string_equal(words.code, "desktop-died");
	assert_string_equal(words.lines, ""); /* they have nothing to do with it */
	words = words_of(NOTICE_END, REASON_APP_FAILED, "no such level\n");
	assert_string_equal(words.what, "Doom ended with an error.");
	assert_string_equal(words.lines, "no such level\n");
	assert_non_null(strstr(words.next, "This stream ends"));
	words = words_of(NOTICE_WAIT, REASON_NONE, "");
	assert_string_equal(words.what, "Doom has not shown a window yet.");
	assert_string_equal(words.why, "It was started 12 seconds ago and has printed nothing.");
	assert_non_null(strstr(words.next, "within 60 seconds"));
	assert_string_equal(words.code, "app-no-window");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_desktop_is_told_of_and_then_the_app_is_seen),
		UNIT(an_end_waits_until_it_was_read),
		UNIT(nothing_holds_an_end_back_for_good),
		UNIT(every_pair_makes_sense),
		UNIT(the_words_say_what_why_and_what_next),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
