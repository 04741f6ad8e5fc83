/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/clock.h"
#include "stream/frames.h"

#define S NS_PER_S

static struct ring_packet packet(uint64_t sequence, uint32_t flags, uint64_t references) {
	return (struct ring_packet){
		.sequence = sequence, .flags = flags, .references = references, .size = 1
	};
}

/* Offers a packet as frame `index` would be; the type, or 0 when passed over. */
static int offer(struct frames *frames, uint64_t sequence, uint32_t flags, uint64_t references,
		uint32_t index) {
	struct ring_packet p = packet(sequence, flags, references);
	enum video_frame_type type;
	if (!frames_judge(frames, &p, &type)) {
		return 0;
	}
	frames_sent(frames, &p, index, type);
	return (int)type;
}

/* Frames 1 (key) to count, from ring sequence 101 on. */
static void flowing(struct frames *frames, uint32_t count) {
	frames_begin(frames, true, false);
	assert_int_equal(offer(frames, 101, RING_KEY, 0, 1), VIDEO_FRAME_IDR);
	for (uint32_t i = 2; i <= count; i++) {
		assert_int_equal(offer(frames, 100 + i, 0, 99 + i, i), VIDEO_FRAME_P);
	}
}

static void nothing_leaves_before_a_key_frame(void **state) {
	(void)state;
	struct frames frames;
	frames_begin(&frames, true, true);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_NOTHING);
	assert_int_equal(offer(&frames, 5, 0, 4, 1), 0);
	assert_int_equal(offer(&frames, 6, RING_KEY, 0, 1), VIDEO_FRAME_IDR);
	assert_int_equal(offer(&frames, 7, 0, 0, 2), VIDEO_FRAME_P);
}

static void an_unanswered_request_for_a_key_is_made_again(void **state) {
	(void)state;
	struct frames frames;
	frames_begin(&frames, true, true);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
	uint64_t again = frames_deadline_ns(&frames);
	assert_true(again == S + FRAMES_KEY_MS * NS_PER_MS);
	assert_int_equal(frames_due(&frames, again - 1).kind, FRAMES_ASK_NOTHING);
	assert_int_equal(frames_due(&frames, again).kind, FRAMES_ASK_KEY);
	offer(&frames, 6, RING_KEY, 0, 1);
	assert_true(frames_deadline_ns(&frames) == UINT64_MAX);
}

static void a_loss_is_told_in_ring_sequences_up_to_the_newest(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	assert_true(frames_lost(&frames, 7, 8, 112));
	struct frames_request request = frames_due(&frames, S);
	assert_int_equal(request.kind, FRAMES_ASK_INVALIDATE);
	assert_int_equal(request.first, 107);
	assert_int_equal(request.last, 112);
	assert_int_equal(frames.state, FRAMES_WAIT_ANSWER);
}

static void after_a_loss_only_an_answer_that_rests_on_good_frames_leaves(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames_lost(&frames, 7, 8, 110);
	frames_due(&frames, S);
	assert_int_equal(offer(&frames, 111, 0, 110, 11), 0);
	/* The answer to another viewer rests on what this one lost. */
	assert_int_equal(offer(&frames, 112, RING_AFTER_INVALIDATION, 107, 11), 0);
	/* Frame 9 was sent, but rests on lost ones. */
	assert_int_equal(offer(&frames, 113, RING_AFTER_INVALIDATION, 109, 11), 0);
	assert_int_equal(offer(&frames, 114, RING_AFTER_INVALIDATION, 106, 11),
			VIDEO_FRAME_AFTER_INVALIDATION);
	assert_int_equal(offer(&frames, 115, 0, 114, 12), VIDEO_FRAME_P);
	assert_true(frames_deadline_ns(&frames) == UINT64_MAX);
}

static void an_answer_to_somebody_else_is_an_ordinary_frame(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	assert_int_equal(offer(&frames, 111, RING_AFTER_INVALIDATION, 105, 11), VIDEO_FRAME_P);
}

static void an_invalidation_without_an_answer_ends_in_a_key(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames_lost(&frames, 7, 8, 110);
	frames_due(&frames, S);
	uint64_t late = frames_deadline_ns(&frames);
	assert_true(late == S + FRAMES_ANSWER_MS * NS_PER_MS);
	assert_int_equal(frames_due(&frames, late).kind, FRAMES_ASK_KEY);
	assert_int_equal(offer(&frames, 111, RING_AFTER_INVALIDATION, 106, 11), 0);
	assert_int_equal(offer(&frames, 112, RING_KEY, 0, 11), VIDEO_FRAME_IDR);
}

static void a_loss_that_was_answered_already_is_not_asked_about_again(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames_lost(&frames, 7, 7, 110);
	frames_due(&frames, S);
	offer(&frames, 111, RING_AFTER_INVALIDATION, 106, 11);
	assert_true(frames_lost(&frames, 9, 10, 111));
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_NOTHING);
	assert_int_equal(offer(&frames, 112, 0, 111, 12), VIDEO_FRAME_P);
	/* But the answer itself can be lost. */
	assert_true(frames_lost(&frames, 11, 11, 112));
	struct frames_request request = frames_due(&frames, S);
	assert_int_equal(request.kind, FRAMES_ASK_INVALIDATE);
	assert_int_equal(request.first, 111);
	assert_int_equal(offer(&frames, 113, RING_AFTER_INVALIDATION, 112, 13), 0);
	assert_int_equal(offer(&frames, 114, RING_AFTER_INVALIDATION, 106, 13),
			VIDEO_FRAME_AFTER_INVALIDATION);
}

static void a_loss_while_waiting_is_only_asked_when_it_begins_earlier(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames_lost(&frames, 7, 7, 110);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_INVALIDATE);
	frames_lost(&frames, 8, 10, 110);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_NOTHING);
	frames_lost(&frames, 5, 6, 110);
	struct frames_request request = frames_due(&frames, S);
	assert_int_equal(request.kind, FRAMES_ASK_INVALIDATE);
	assert_int_equal(request.first, 105);
	assert_int_equal(offer(&frames, 111, RING_AFTER_INVALIDATION, 106, 11), 0);
}

static void without_invalidation_a_loss_needs_a_key(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames.can_invalidate = false;
	frames_lost(&frames, 7, 7, 110);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
	assert_int_equal(offer(&frames, 111, 0, 110, 11), 0);
}

static void a_loss_out_of_memory_or_of_another_ring_needs_a_key(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 300);
	assert_true(frames_lost(&frames, 300 - FRAMES_HISTORY, 300, 400));
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
	flowing(&frames, 10);
	frames_begin(&frames, true, false);
	offer(&frames, 50, RING_KEY, 0, 11);
	assert_true(frames_lost(&frames, 10, 10, 50));
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_NOTHING); /* 11 is a key */
	assert_true(frames_lost(&frames, 10, 11, 50));
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
}

static void frames_that_were_never_sent_cannot_be_lost(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	assert_false(frames_lost(&frames, 11, 12, 110));
	assert_false(frames_lost(&frames, 9, 8, 110));
	assert_int_equal(frames.state, FRAMES_FLOW);
	frames_begin(&frames, true, false);
	assert_false(frames_lost(&frames, 1, 1, 110));
}

static void a_frame_that_rests_on_what_was_not_sent_needs_a_key(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	assert_int_equal(offer(&frames, 113, 0, 112, 11), 0);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
}

static void the_clients_requests_for_a_key_are_one_while_none_came(void **state) {
	(void)state;
	struct frames frames;
	flowing(&frames, 10);
	frames_want_key(&frames, S);
	assert_int_equal(frames_due(&frames, S).kind, FRAMES_ASK_KEY);
	frames_want_key(&frames, S + NS_PER_MS);
	assert_int_equal(frames_due(&frames, S + NS_PER_MS).kind, FRAMES_ASK_NOTHING);
	frames_want_key(&frames, S + FRAMES_COALESCE_MS * NS_PER_MS);
	assert_int_equal(frames_due(&frames, 2 * S).kind, FRAMES_ASK_KEY);
	assert_int_equal(offer(&frames, 111, RING_KEY, 0, 11), VIDEO_FRAME_IDR);
	frames_want_key(&frames, 2 * S + 1);
	assert_int_equal(frames_due(&frames, 2 * S + 1).kind, FRAMES_ASK_KEY);
}

/* The law of frames.h against a model, over seeded losses and answers. */
static void no_frame_that_leaves_rests_on_a_lost_one(void **state) {
	(void)state;
	uint32_t seed = 1;
	struct frames frames;
	frames_begin(&frames, true, true);
	uint64_t reference_of[4096] = { 0 }, newest_good = 0;
	bool usable[4096] = { [0] = true }; /* by sequence: sent and not lost, in the model */
	uint64_t sequence_of[4096] = { 0 }; /* by index */
	uint32_t index = 1, sent = 0;
	for (uint64_t sequence = 1; sequence < 4000; sequence++) {
		seed = seed * 1664525 + 1013904223;
		uint32_t dice = seed >> 16;
		uint32_t flags = dice % 97 == 0   ? RING_KEY
				 : dice % 13 == 0 ? RING_AFTER_INVALIDATION
						  : 0;
		uint64_t back = flags & RING_AFTER_INVALIDATION ? 1 + dice / 13 % 9 : 1;
		bool key = flags & RING_KEY;
		reference_of[sequence] = !key && sequence > back ? sequence - back : 0;
		if (offer(&frames, sequence, flags, reference_of[sequence], index)) {
			assert_true(usable[reference_of[sequence]]);
			usable[sequence] = true;
			newest_good = sequence;
			sequence_of[index++] = sequence;
			sent++;
		}
		if (dice % 31 == 0 && index > 8) {
			uint32_t first = index - 1 - dice / 31 % 5, last = first + dice / 200 % 3;
			for (uint32_t i = first; i <= last && i < index; i++) {
				usable[sequence_of[i]] = false;
			}
			for (uint64_t s = sequence_of[first]; s <= newest_good; s++) {
				usable[s] = usable[s] && usable[reference_of[s]];
			}
			frames_lost(&frames, first, last, sequence);
		}
		frames_due(&frames, sequence * NS_PER_S / 60);
	}
	assert_true(sent > 200);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(nothing_leaves_before_a_key_frame),
		UNIT(an_unanswered_request_for_a_key_is_made_again),
		UNIT(a_loss_is_told_in_ring_sequences_up_to_the_newest),
		UNIT(after_a_loss_only_an_answer_that_rests_on_good_frames_leaves),
		UNIT(an_answer_to_somebody_else_is_an_ordinary_frame),
		UNIT(an_invalidation_without_an_answer_ends_in_a_key),
		UNIT(a_loss_that_was_answered_already_is_not_asked_about_again),
		UNIT(a_loss_while_waiting_is_only_asked_when_it_begins_earlier),
		UNIT(without_invalidation_a_loss_needs_a_key),
		UNIT(a_loss_out_of_memory_or_of_another_ring_needs_a_key),
		UNIT(frames_that_were_never_sent_cannot_be_lost),
		UNIT(a_frame_that_rests_on_what_was_not_sent_needs_a_key),
		UNIT(the_clients_requests_for_a_key_are_one_while_none_came),
		UNIT(no_frame_that_leaves_rests_on_a_lost_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
