/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "desktop/latch.h"

#define BEGIN (1000 * NS_PER_S)
#define PERIOD (NS_PER_S / 60)

/* One picture at its tick; the client takes so long, once asked. Returns when the
 * commit came. */
static uint64_t picture(struct latch *latch, uint64_t tick, uint64_t takes_ns) {
	latch_rendered(latch, tick, tick + PERIOD);
	uint64_t asked = latch->due_ns;
	assert_true(asked >= tick && asked < tick + PERIOD);
	latch_asked(latch, asked);
	assert_true(latch->due_ns == LATCH_NEVER);
	latch_committed(latch, asked + takes_ns, PERIOD);
	return asked + takes_ns;
}

static struct latch learnt(uint64_t takes_ns) {
	struct latch latch;
	latch_begin(&latch);
	for (unsigned i = 0; i < LATCH_SAMPLES; i++) {
		assert_true(picture(&latch, BEGIN, takes_ns) == BEGIN + takes_ns);
	}
	return latch;
}

static void clients_are_asked_at_once_until_enough_is_learnt(void **state) {
	(void)state;
	struct latch latch = learnt(3 * NS_PER_MS);
	assert_true(picture(&latch, BEGIN, 3 * NS_PER_MS) > BEGIN + 3 * NS_PER_MS);
}

static void a_commit_comes_just_before_the_tick(void **state) {
	(void)state;
	for (uint64_t takes = NS_PER_MS / 10; takes < 10 * NS_PER_MS; takes += NS_PER_MS / 10) {
		struct latch latch = learnt(takes);
		uint64_t before = BEGIN + PERIOD - picture(&latch, BEGIN, takes);
		assert_in_range(before, 2 * NS_PER_MS, 2 * NS_PER_MS + takes / 4 + 1);
	}
}

static void who_needs_most_of_the_period_is_asked_at_once(void **state) {
	(void)state;
	struct latch latch = learnt(14 * NS_PER_MS);
	latch_rendered(&latch, BEGIN, BEGIN + PERIOD);
	assert_true(latch.due_ns == BEGIN);
}

static void one_long_frame_is_remembered(void **state) {
	(void)state;
	struct latch latch = learnt(2 * NS_PER_MS);
	latch.samples[LATCH_SAMPLES - 1] = 8 * NS_PER_MS;
	for (unsigned i = 0; i < LATCH_SAMPLES; i++) {
		/* The long one would be in time again. */
		latch_rendered(&latch, BEGIN, BEGIN + PERIOD);
		assert_true(latch.due_ns + 8 * NS_PER_MS < BEGIN + PERIOD);
		latch_asked(&latch, latch.due_ns);
		latch_committed(&latch, latch.asked_ns + 2 * NS_PER_MS, PERIOD);
	}
	assert_true(picture(&latch, BEGIN, 0) > BEGIN + PERIOD - 5 * NS_PER_MS);
}

static void check_given_up(struct latch *latch, unsigned pictures) {
	for (unsigned i = 0; i < pictures; i++) {
		latch_rendered(latch, BEGIN, BEGIN + PERIOD);
		assert_true(latch->due_ns == BEGIN);
		latch_asked(latch, BEGIN);
	}
	latch_rendered(latch, BEGIN, BEGIN + PERIOD);
	assert_true(latch->due_ns > BEGIN);
}

static void a_commit_out_of_turn_is_answered_at_once_and_ends_it_for_a_while(void **state) {
	(void)state;
	struct latch latch = learnt(2 * NS_PER_MS);
	for (unsigned i = 0; i < 2; i++) {
		latch_rendered(&latch, BEGIN, BEGIN + PERIOD);
		latch_committed(&latch, BEGIN + NS_PER_MS, PERIOD);
		assert_true(latch.due_ns == BEGIN + NS_PER_MS);
		check_given_up(&latch, LATCH_PENALTY << i); /* longer the second time */
		latch_asked(&latch, BEGIN);
	}
}

static void a_missed_tick_ends_it_for_a_while(void **state) {
	(void)state;
	struct latch latch = learnt(2 * NS_PER_MS);
	picture(&latch, BEGIN, 8 * NS_PER_MS);
	check_given_up(&latch, LATCH_PENALTY);
	assert_true(latch.due_ns < BEGIN + PERIOD - 10 * NS_PER_MS); /* and is remembered */
}

static void a_client_slower_than_the_rate_is_asked_at_once(void **state) {
	(void)state;
	struct latch latch = learnt(2 * NS_PER_MS);
	picture(&latch, BEGIN, PERIOD + NS_PER_MS);
	check_given_up(&latch, LATCH_PENALTY);
}

static void a_key_pressed_after_a_pause_teaches_nothing(void **state) {
	(void)state;
	struct latch latch = learnt(2 * NS_PER_MS);
	picture(&latch, BEGIN, NS_PER_S);
	latch_rendered(&latch, BEGIN, BEGIN + PERIOD);
	assert_true(latch.due_ns > BEGIN + 10 * NS_PER_MS);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(clients_are_asked_at_once_until_enough_is_learnt),
		UNIT(a_commit_comes_just_before_the_tick),
		UNIT(who_needs_most_of_the_period_is_asked_at_once),
		UNIT(one_long_frame_is_remembered),
		UNIT(a_commit_out_of_turn_is_answered_at_once_and_ends_it_for_a_while),
		UNIT(a_missed_tick_ends_it_for_a_while),
		UNIT(a_client_slower_than_the_rate_is_asked_at_once),
		UNIT(a_key_pressed_after_a_pause_teaches_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
