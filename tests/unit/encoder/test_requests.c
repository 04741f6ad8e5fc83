/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "encoder/requests.h"
#include "ipc/ring.h"

#define MS(n) (1000 * NS_PER_S + (uint64_t)(n)*NS_PER_MS)

/* One reader that has got its key frame, packet 1, at MS(0), and more up to `newest`. */
static struct requests running(unsigned readers, uint64_t newest) {
	struct requests r = { 0 };
	for (unsigned i = 0; i < readers; i++) {
		requests_joined(&r, MS(0));
	}
	requests_encoded(&r, 1, RING_KEY, 0, MS(0));
	for (uint64_t n = 2; n <= newest; n++) {
		requests_encoded(&r, n, 0, n - 1, MS(0));
	}
	return r;
}

static void nothing_asked_is_nothing_due(void **state) {
	(void)state;
	struct requests r = running(1, 9);
	assert_true(requests_deadline_ns(&r) == REQUESTS_NEVER);
	assert_int_equal(requests_next(&r, MS(100000)), REQUESTS_NOTHING);
}

static void the_first_reader_gets_a_key_frame(void **state) {
	(void)state;
	struct requests r = { 0 };
	requests_joined(&r, MS(5));
	assert_int_equal(requests_next(&r, MS(5)), REQUESTS_KEY);
}

static void a_newcomer_starts_at_a_key_frame_that_is_young(void **state) {
	(void)state;
	struct requests r = running(1, 6);
	requests_joined(&r, MS(100));
	assert_int_equal(requests_next(&r, MS(5000)), REQUESTS_NOTHING);
	requests_joined(&r, MS(101));
	assert_int_equal(requests_next(&r, MS(5000)), REQUESTS_KEY);
}

static void alone_every_request_is_answered_at_once(void **state) {
	(void)state;
	struct requests r = running(1, 9);
	requests_key(&r, MS(1));
	assert_int_equal(requests_next(&r, MS(1)), REQUESTS_KEY);
	requests_encoded(&r, 10, RING_KEY, 0, MS(2));
	assert_int_equal(requests_next(&r, MS(2)), REQUESTS_NOTHING);
	requests_encoded(&r, 11, 0, 10, MS(3));
	requests_invalidate(&r, 11, 11, MS(4));
	assert_int_equal(requests_next(&r, MS(4)), REQUESTS_INVALIDATE);
	assert_int_equal(r.first, 11);
}

static void shared_answers_keep_their_distance(void **state) {
	(void)state;
	struct requests r = running(3, 9);
	requests_key(&r, MS(10));
	requests_key(&r, MS(20));
	requests_invalidate(&r, 5, 6, MS(30));
	assert_int_equal(requests_next(&r, MS(249)), REQUESTS_NOTHING);
	assert_true(requests_deadline_ns(&r) == MS(REQUESTS_SPACING_MS));
	assert_int_equal(requests_next(&r, MS(250)), REQUESTS_KEY);
	requests_encoded(&r, 10, RING_KEY, 0, MS(251));
	assert_int_equal(requests_next(&r, MS(5000)), REQUESTS_NOTHING);
	/* In quiet times the first one need not wait. */
	requests_key(&r, MS(900));
	assert_int_equal(requests_next(&r, MS(900)), REQUESTS_KEY);
}

static void no_request_waits_longer_than_the_distance(void **state) {
	(void)state;
	struct requests r = running(2, 9);
	uint64_t sequence = 10;
	for (uint64_t t = 1; t < 3000; t += 7) {
		bool asked = requests_deadline_ns(&r) != REQUESTS_NEVER;
		if (!asked) {
			requests_key(&r, MS(t));
		}
		assert_true(requests_deadline_ns(&r) <= r.since_ns + MS(250) - MS(0));
		if (requests_next(&r, MS(t)) == REQUESTS_KEY) {
			requests_encoded(&r, sequence++, RING_KEY, 0, MS(t));
		}
	}
	assert_true(sequence >= 10 + 3000 / 260 && sequence <= 10 + 3000 / 250 + 1);
}

static void losses_of_several_become_one_from_the_oldest_on(void **state) {
	(void)state;
	struct requests r = running(1, 20);
	requests_invalidate(&r, 15, 16, MS(1));
	requests_invalidate(&r, 12, 12, MS(2));
	requests_invalidate(&r, 18, 20, MS(3));
	assert_int_equal(requests_next(&r, MS(3)), REQUESTS_INVALIDATE);
	assert_int_equal(r.first, 12);
}

static void what_is_mended_is_no_request(void **state) {
	(void)state;
	struct requests r = running(1, 20);
	requests_invalidate(&r, 15, 20, MS(1));
	requests_encoded(&r, 21, RING_AFTER_INVALIDATION, 14, MS(2));
	requests_encoded(&r, 22, 0, 21, MS(3));
	requests_invalidate(&r, 15, 20, MS(4)); /* the same again, on its way before */
	requests_invalidate(&r, 17, 19, MS(4));
	assert_int_equal(requests_next(&r, MS(4)), REQUESTS_NOTHING);
	requests_invalidate(&r, 14, 20, MS(5)); /* what the answer stands on */
	assert_int_equal(requests_next(&r, MS(5)), REQUESTS_INVALIDATE);
	r = running(1, 20);
	requests_encoded(&r, 21, RING_AFTER_INVALIDATION, 14, MS(2));
	requests_invalidate(&r, 15, 21, MS(5)); /* the answer itself */
	assert_int_equal(requests_next(&r, MS(5)), REQUESTS_INVALIDATE);
	r = running(1, 20);
	requests_encoded(&r, 21, RING_KEY, 0, MS(2));
	requests_invalidate(&r, 1, 20, MS(5));
	assert_int_equal(requests_next(&r, MS(5)), REQUESTS_NOTHING);
}

static void a_key_frame_answers_a_loss_but_not_the_other_way_round(void **state) {
	(void)state;
	struct requests r = running(1, 20);
	requests_key(&r, MS(1));
	requests_invalidate(&r, 15, 20, MS(1));
	assert_int_equal(requests_next(&r, MS(1)), REQUESTS_KEY);
	requests_encoded(&r, 21, RING_AFTER_INVALIDATION, 14, MS(2));
	assert_int_equal(requests_next(&r, MS(2)), REQUESTS_KEY);
	requests_encoded(&r, 22, RING_KEY, 0, MS(3));
	assert_int_equal(requests_next(&r, MS(3)), REQUESTS_NOTHING);
}

static void an_impossible_range_yields_a_key_frame(void **state) {
	(void)state;
	static const uint64_t ranges[][2] = { { 0, 5 }, { 6, 5 }, { 21, 30 },
		{ UINT64_MAX, UINT64_MAX } };
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct requests r = running(1, 20);
		requests_invalidate(&r, ranges[i][0], ranges[i][1], MS(1));
		assert_int_equal(requests_next(&r, MS(1)), REQUESTS_KEY);
	}
}

static void requests_leave_with_the_last_reader(void **state) {
	(void)state;
	struct requests r = running(2, 20);
	requests_key(&r, MS(1));
	requests_left(&r);
	assert_true(requests_deadline_ns(&r) == MS(1));
	requests_left(&r);
	assert_true(requests_deadline_ns(&r) == REQUESTS_NEVER);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(nothing_asked_is_nothing_due),
		UNIT(the_first_reader_gets_a_key_frame),
		UNIT(a_newcomer_starts_at_a_key_frame_that_is_young),
		UNIT(alone_every_request_is_answered_at_once),
		UNIT(shared_answers_keep_their_distance),
		UNIT(no_request_waits_longer_than_the_distance),
		UNIT(losses_of_several_become_one_from_the_oldest_on),
		UNIT(what_is_mended_is_no_request),
		UNIT(a_key_frame_answers_a_loss_but_not_the_other_way_round),
		UNIT(an_impossible_range_yields_a_key_frame),
		UNIT(requests_leave_with_the_last_reader),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
