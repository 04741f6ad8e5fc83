/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include <stdbool.h>

#include "ipc/reason.h"
#include "supervisor/lobby_pin.h"
#include "supervisor/member_life.h"

static void there_and_back(void **state) {
	(void)state;
	enum member_state member = MEMBER_HOME;
	assert_int_equal(member_step(&member, MEMBER_JOIN), MEMBER_GO);
	assert_int_equal(member_step(&member, MEMBER_MOVED), MEMBER_WELCOME);
	assert_int_equal(member, MEMBER_IN);
	assert_int_equal(member_step(&member, MEMBER_LEAVE), MEMBER_GO_HOME);
	assert_int_equal(member_step(&member, MEMBER_MOVED), MEMBER_FAREWELL);
	assert_int_equal(member, MEMBER_HOME);
}

static void who_cannot_go_stays_where_it_was(void **state) {
	(void)state;
	const enum member_state moving[] = { MEMBER_JOINING, MEMBER_CHANGING, MEMBER_LEAVING };
	const enum member_state back[] = { MEMBER_HOME, MEMBER_IN, MEMBER_IN };
	for (size_t i = 0; i < 3; i++) {
		enum member_state member = moving[i];
		assert_int_equal(member_step(&member, MEMBER_STAYED), MEMBER_APOLOGIZE);
		assert_int_equal(member, back[i]);
	}
}

/* A request while it moves gets its own answer at once, and the move goes on. */
static void one_move_at_a_time(void **state) {
	(void)state;
	const enum member_state moving[] = { MEMBER_JOINING, MEMBER_CHANGING, MEMBER_LEAVING };
	const enum member_event asked[] = { MEMBER_JOIN, MEMBER_LEAVE };
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < 2; j++) {
			enum member_state member = moving[i];
			assert_int_equal(member_step(&member, asked[j]), MEMBER_REFUSE_BUSY);
			assert_int_equal(member, moving[i]);
		}
	}
}

/* All pairs: whatever the state, a view that is gone leaves it at home, and who waits
 * for an answer gets one. */
static void every_pair(void **state) {
	(void)state;
	for (int s = 0; s < MEMBER_STATES; s++) {
		for (int e = 0; e < MEMBER_EVENTS; e++) {
			enum member_state member = (enum member_state)s;
			enum member_action action = member_step(&member, (enum member_event)e);
			bool moves = s == MEMBER_JOINING || s == MEMBER_CHANGING ||
				     s == MEMBER_LEAVING;
			bool ends = e == MEMBER_MOVED || e == MEMBER_STAYED ||
				    e == MEMBER_VIEW_GONE;
			if (e == MEMBER_VIEW_GONE) {
				assert_int_equal(member, MEMBER_HOME);
			}
			if (moves && ends) {
				assert_true(action >= MEMBER_WELCOME);
			}
			if (e == MEMBER_JOIN || e == MEMBER_LEAVE) {
				assert_int_not_equal(action, MEMBER_NOTHING);
			}
			assert_true(strlen(member_state_name(member)) > 0);
		}
	}
}

static void a_pin_is_guessed_a_few_times_a_minute(void **state) {
	(void)state;
	struct lobby_pin pin = { .text = "0471" };
	char right[LOBBY_PIN_SIZE] = "0471", wrong[LOBBY_PIN_SIZE] = "04711",
	     none[LOBBY_PIN_SIZE] = "";
	uint64_t now = 5000000;
	assert_int_equal(lobby_pin_check(&pin, right, now), REASON_NONE);
	assert_int_equal(lobby_pin_check(&pin, none, now), REASON_LOBBY_PIN);
	for (int i = 1; i < LOBBY_PIN_GUESSES; i++) {
		assert_int_equal(lobby_pin_check(&pin, wrong, now + 1000), REASON_LOBBY_PIN);
	}
	assert_int_equal(lobby_pin_check(&pin, right, now + 2000), REASON_LOBBY_GUESSES);
	assert_int_equal(lobby_pin_check(&pin, right, now + LOBBY_PIN_WINDOW_MS), REASON_NONE);
	struct lobby_pin open = { .text = "" };
	assert_int_equal(lobby_pin_check(&open, wrong, now), REASON_NONE);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(there_and_back),
		UNIT(who_cannot_go_stays_where_it_was),
		UNIT(one_move_at_a_time),
		UNIT(every_pair),
		UNIT(a_pin_is_guessed_a_few_times_a_minute),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
