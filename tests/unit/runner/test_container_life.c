/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/own.h"
#include "runner/container_life.h"

static const enum container_state waiting[] = { CONTAINER_FINDING, CONTAINER_CREATING,
	CONTAINER_CLEARING, CONTAINER_STARTING };

/* Whatever happens in whatever order, everybody gets to the end. */
static void from_everywhere_a_stop_leads_to_the_end(void **state) {
	(void)state;
	static const enum container_event answers[] = { CONTAINER_OK, CONTAINER_MISSING,
		CONTAINER_TAKEN, CONTAINER_FAILED };
	for (int from = CONTAINER_FINDING; from < CONTAINER_GONE; from++) {
		for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
			enum container_action action;
			enum container_state at = container_life_step(
					(enum container_state)from, CONTAINER_STOP, &action);
			for (int steps = 0; at != CONTAINER_GONE && steps < 6; steps++) {
				enum container_event answer =
						at == CONTAINER_REMOVING || at == CONTAINER_STOPPING
								? CONTAINER_OK
								: answers[i];
				at = container_life_step(at, answer, &action);
			}
			assert_int_equal(at, CONTAINER_GONE);
			assert_int_equal(action, CONTAINER_REPORT);
		}
	}
}

static void a_request_under_way_is_awaited_before_removing(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
		enum container_action action;
		assert_int_equal(container_life_step(waiting[i], CONTAINER_STOP, &action),
				CONTAINER_LEAVING);
		assert_int_equal(action, CONTAINER_NOTHING);
		assert_int_equal(container_life_step(CONTAINER_LEAVING, CONTAINER_OK, &action),
				CONTAINER_REMOVING);
		assert_int_equal(action, CONTAINER_REMOVE);
	}
}

static void the_usual_way(void **state) {
	(void)state;
	static const struct {
		enum container_event event;
		enum container_state next;
		enum container_action action;
	} steps[] = {
		{ CONTAINER_GO_ON, CONTAINER_FINDING, CONTAINER_FIND },
		{ CONTAINER_MISSING, CONTAINER_CREATING, CONTAINER_CREATE },
		{ CONTAINER_MISSING, CONTAINER_PULLING, CONTAINER_PULL },
		{ CONTAINER_OK, CONTAINER_CREATING, CONTAINER_CREATE },
		{ CONTAINER_TAKEN, CONTAINER_CLEARING, CONTAINER_CLEAR },
		{ CONTAINER_OK, CONTAINER_CREATING, CONTAINER_CREATE },
		{ CONTAINER_OK, CONTAINER_STARTING, CONTAINER_START },
		{ CONTAINER_OK, CONTAINER_RUNNING, CONTAINER_WATCH },
		{ CONTAINER_EXITED, CONTAINER_REMOVING, CONTAINER_REMOVE },
		{ CONTAINER_OK, CONTAINER_GONE, CONTAINER_REPORT },
	};
	enum container_state at = CONTAINER_IDLE;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		enum container_action action;
		at = container_life_step(at, steps[i].event, &action);
		assert_int_equal(at, steps[i].next);
		assert_int_equal(action, steps[i].action);
	}
}

/* An ignored event does nothing; nothing leads back to the beginning, and out of the end. */
static void every_pair_has_its_answer(void **state) {
	(void)state;
	for (int from = 0; from < CONTAINER_STATES; from++) {
		for (int event = 0; event < CONTAINER_EVENTS; event++) {
			enum container_action action;
			enum container_state next = container_life_step((enum container_state)from,
					(enum container_event)event, &action);
			assert_true(next < CONTAINER_STATES && action < CONTAINER_ACTIONS);
			assert_true(next != CONTAINER_IDLE || from == CONTAINER_IDLE);
			assert_true(from != CONTAINER_GONE || next == CONTAINER_GONE);
			if ((int)next == from) {
				assert_int_equal(action, CONTAINER_NOTHING);
			}
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(from_everywhere_a_stop_leads_to_the_end),
		UNIT(a_request_under_way_is_awaited_before_removing),
		UNIT(the_usual_way),
		UNIT(every_pair_has_its_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
