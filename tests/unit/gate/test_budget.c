/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "gate/budget.h"

static void it_has_some_at_once_and_then_so_much_a_second(void **state) {
	(void)state;
	struct budget budget;
	uint64_t now = 5000000;
	budget_begin(&budget, now);
	unsigned spent = 0;
	while (budget_spend(&budget, 1, now)) {
		spent++;
	}
	assert_int_equal(spent, BUDGET_MOST);
	for (unsigned i = 0; i < 10 * 1000; i++) { /* asked each millisecond of ten seconds */
		now += 1000;
		spent += budget_spend(&budget, 1, now);
	}
	assert_int_equal(spent, BUDGET_MOST + 10 * BUDGET_PER_S);
}

static void it_says_when_there_is_enough(void **state) {
	(void)state;
	struct budget budget;
	uint64_t now = 5000000;
	budget_begin(&budget, now);
	assert_true(budget_spend(&budget, BUDGET_MOST, now));
	assert_false(budget_spend(&budget, BUDGET_SHOT, now));
	uint64_t when = budget_when(&budget, BUDGET_SHOT);
	assert_true(when > now);
	assert_false(budget_spend(&budget, BUDGET_SHOT, when - 1000));
	assert_true(budget_spend(&budget, BUDGET_SHOT, when));
	assert_false(budget_spend(&budget, 1, when));
}

static void it_holds_no_more_than_it_may_and_survives_a_clock_that_goes_back(void **state) {
	(void)state;
	struct budget budget;
	budget_begin(&budget, 5000000);
	assert_true(budget_spend(&budget, 1, 1000000000));
	assert_false(budget_spend(&budget, BUDGET_MOST, 1000000000));
	assert_true(budget_spend(&budget, BUDGET_MOST - 1, 7));
	assert_false(budget_spend(&budget, 1, 7));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_some_at_once_and_then_so_much_a_second),
		cmocka_unit_test(it_says_when_there_is_enough),
		cmocka_unit_test(it_holds_no_more_than_it_may_and_survives_a_clock_that_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
