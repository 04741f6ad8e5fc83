/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "supervisor/line.h"

enum {
	BEGIN_MS = 5000500,
};

/* Heard once a second, as a stream reports, with so many recoveries more in each. */
static uint64_t go_on(struct line *line, uint64_t *total, uint64_t now_ms, int seconds,
		uint32_t recoveries) {
	for (int i = 0; i < seconds; i++) {
		now_ms += 1000;
		*total += recoveries;
		line_hear(line, *total, now_ms);
	}
	return now_ms;
}

static struct line begin(uint64_t total) {
	struct line line = { 0 };
	line_hear(&line, total, BEGIN_MS);
	return line;
}

static void more_than_four_in_ten_seconds_are_too_many(void **state) {
	(void)state;
	uint64_t total = 100;
	struct line line = begin(total); /* what was before nobody counts */
	uint64_t now_ms = go_on(&line, &total, BEGIN_MS, 4, 1);
	assert_int_equal(line_recent(&line), 4);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
	now_ms = go_on(&line, &total, now_ms, 1, 1);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_LOSSY);
	/* Alone it disturbs nobody. */
	assert_int_equal(line_judge(&line, false, now_ms), LINE_EVENTS);
	now_ms = go_on(&line, &total, now_ms, 6, 0);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
}

static void four_in_each_ten_seconds_are_borne(void **state) {
	(void)state;
	uint64_t total = 0, now_ms = BEGIN_MS;
	struct line line = begin(total);
	for (int i = 0; i < 60; i++) {
		now_ms = go_on(&line, &total, now_ms, 1, 4);
		assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
		now_ms = go_on(&line, &total, now_ms, 9, 0);
		assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
	}
}

static void seconds_without_a_report_count_as_well(void **state) {
	(void)state;
	uint64_t total = 0;
	struct line line = begin(total);
	uint64_t now_ms = go_on(&line, &total, BEGIN_MS, 1, 4);
	line_hear(&line, total += 4, now_ms + 10000);
	assert_int_equal(line_recent(&line), 4);
	line_hear(&line, total += 4, now_ms + 10000 + 100000);
	assert_int_equal(line_recent(&line), 4);
}

static void a_streams_successor_counts_from_the_beginning(void **state) {
	(void)state;
	struct line line = begin(1000);
	line_hear(&line, 3, BEGIN_MS + 1000);
	line_hear(&line, 5, BEGIN_MS + 2000);
	assert_int_equal(line_recent(&line), 2);
}

static uint64_t set_apart(struct line *line, uint64_t *total, uint64_t now_ms) {
	now_ms = go_on(line, total, now_ms, 1, 5);
	assert_int_equal(line_judge(line, true, now_ms), LINE_LOSSY);
	assert_int_equal(line_happen(line, LINE_LOSSY, now_ms), LINE_PART);
	assert_int_equal(line_judge(line, true, now_ms), LINE_EVENTS);
	assert_false(line_is_apart(line));
	assert_int_equal(line_happen(line, LINE_MOVED, now_ms), LINE_SAY_PARTED);
	assert_true(line_is_apart(line));
	return now_ms;
}

/* The seconds without trouble after which it comes back. */
static int wait_for_calm(struct line *line, uint64_t *total, uint64_t *now_ms) {
	int seconds = 0;
	while (line_judge(line, false, *now_ms) != LINE_CALM) {
		*now_ms = go_on(line, total, *now_ms, 1, 0);
		seconds++;
		assert_true(seconds < 5000);
	}
	return seconds;
}

static void come_back(struct line *line, uint64_t now_ms) {
	assert_int_equal(line_happen(line, LINE_CALM, now_ms), LINE_RETURN);
	assert_int_equal(line_happen(line, LINE_MOVED, now_ms), LINE_SAY_BACK);
	assert_int_equal(line->state, LINE_SHARED);
}

static void it_comes_back_when_its_line_is_good_again(void **state) {
	(void)state;
	uint64_t total = 0;
	struct line line = begin(total);
	uint64_t now_ms = set_apart(&line, &total, BEGIN_MS);
	now_ms = go_on(&line, &total, now_ms, 300, 1); /* ten in ten seconds, for long */
	assert_int_equal(line_judge(&line, false, now_ms), LINE_EVENTS);
	int seconds = wait_for_calm(&line, &total, &now_ms);
	assert_in_range(seconds, LINE_CALM_MS / 1000, LINE_CALM_MS / 1000 + LINE_WINDOW_S);
	come_back(&line, now_ms);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
}

static void how_long_is_configured(void **state) {
	(void)state;
	uint64_t total = 0;
	struct line line = begin(total);
	line.calm_ms = 2000;
	uint64_t now_ms = set_apart(&line, &total, BEGIN_MS);
	assert_int_equal(wait_for_calm(&line, &total, &now_ms), 2);
	come_back(&line, now_ms);
	now_ms = set_apart(&line, &total, now_ms);
	assert_int_equal(wait_for_calm(&line, &total, &now_ms), 4);
}

static void each_time_that_it_does_not_last_it_waits_longer(void **state) {
	(void)state;
	uint64_t total = 0, now_ms = BEGIN_MS;
	struct line line = begin(total);
	int expected = LINE_CALM_MS / 1000;
	for (int i = 0; i < LINE_DOUBLINGS + 3; i++) {
		now_ms = set_apart(&line, &total, now_ms);
		assert_int_equal(wait_for_calm(&line, &total, &now_ms), expected);
		expected *= i < LINE_DOUBLINGS ? 2 : 1;
		come_back(&line, now_ms);
	}
	/* Good for as long as it had to wait: that is forgotten. */
	now_ms = go_on(&line, &total, now_ms, expected + 1, 0);
	now_ms = set_apart(&line, &total, now_ms);
	assert_int_equal(wait_for_calm(&line, &total, &now_ms), LINE_CALM_MS / 1000);
}

static void what_cannot_be_done_is_tried_again_later(void **state) {
	(void)state;
	uint64_t total = 0;
	struct line line = begin(total);
	uint64_t now_ms = go_on(&line, &total, BEGIN_MS, 1, 5);
	assert_int_equal(line_happen(&line, LINE_LOSSY, now_ms), LINE_PART);
	assert_int_equal(line_happen(&line, LINE_STAYED, now_ms), LINE_SAY_STAYED);
	now_ms = go_on(&line, &total, now_ms, LINE_RETRY_MS / 1000 - 1, 1);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_EVENTS);
	now_ms = go_on(&line, &total, now_ms, 1, 1);
	assert_int_equal(line_judge(&line, true, now_ms), LINE_LOSSY);
}

static void a_move_is_over_in_time(void **state) {
	(void)state;
	uint64_t total = 0;
	struct line line = begin(total);
	uint64_t now_ms = go_on(&line, &total, BEGIN_MS, 1, 5);
	assert_int_equal(line_happen(&line, LINE_LOSSY, now_ms), LINE_PART);
	assert_int_equal(line_judge(&line, true, now_ms + LINE_MOVE_MS - 1), LINE_EVENTS);
	assert_int_equal(line_judge(&line, true, now_ms + LINE_MOVE_MS), LINE_STAYED);
}

static void a_supervisors_successor_goes_on_with_it(void **state) {
	(void)state;
	uint64_t total = 500, now_ms = BEGIN_MS;
	struct line line;
	line_restore(&line, true, 2, now_ms);
	assert_true(line_is_apart(&line));
	line_hear(&line, total, now_ms);
	assert_int_equal(line_recent(&line), 0);
	assert_int_equal(wait_for_calm(&line, &total, &now_ms), 2 * LINE_CALM_MS / 1000);
	line_restore(&line, false, 0, now_ms);
	assert_int_equal(line.state, LINE_SHARED);
}

static void one_of_four_viewers_is_set_apart_at_the_most(void **state) {
	(void)state;
	assert_true(line_may_part(2, 0));
	assert_false(line_may_part(2, 1));
	assert_false(line_may_part(7, 1));
	assert_true(line_may_part(8, 1));
	assert_false(line_may_part(100, 25));
	assert_true(line_may_part(100, 24));
}

/* All pairs: a move ends in MOVED or STAYED, which say so, and no event begins another. */
static void every_pair(void **state) {
	(void)state;
	for (int s = 0; s < LINE_STATES; s++) {
		for (int e = 0; e < LINE_EVENTS; e++) {
			enum line_state line = (enum line_state)s;
			enum line_action action = line_step(&line, (enum line_event)e);
			bool moves = s == LINE_PARTING || s == LINE_RETURNING;
			bool ends = e == LINE_MOVED || e == LINE_STAYED;
			assert_int_equal(moves && ends, action >= LINE_SAY_PARTED);
			assert_int_equal(line != (enum line_state)s, action != LINE_NOTHING);
			assert_true(strlen(line_state_name(line)) > 0);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(more_than_four_in_ten_seconds_are_too_many),
		UNIT(four_in_each_ten_seconds_are_borne),
		UNIT(seconds_without_a_report_count_as_well),
		UNIT(a_streams_successor_counts_from_the_beginning),
		UNIT(it_comes_back_when_its_line_is_good_again),
		UNIT(how_long_is_configured),
		UNIT(each_time_that_it_does_not_last_it_waits_longer),
		UNIT(what_cannot_be_done_is_tried_again_later),
		UNIT(a_move_is_over_in_time),
		UNIT(a_supervisors_successor_goes_on_with_it),
		UNIT(one_of_four_viewers_is_set_apart_at_the_most),
		UNIT(every_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
