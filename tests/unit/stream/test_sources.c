/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/clock.h"
#include "ipc/reason.h"
#include "proto/input.h"
#include "viewer.h"
#include "viewer_checks.h"

/* Where the real program reads from: sound, switches, and the successors of encoders. */

static bool is_on_second(struct viewer *viewer) {
	return viewer->actives == 2 && viewer->newest_picture > 1000000 &&
	       viewer->newest_sound > 1000000;
}

static bool second_was_asked(struct viewer *viewer) {
	return viewer->sources[1].key_asks > 0;
}

static bool is_on_second_first(struct viewer *viewer) {
	return viewer->actives == 1 && viewer->newest_picture > 1000000 &&
	       viewer->newest_sound > 1000000;
}

static void a_source_that_comes_before_the_client_is_taken_at_once(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_offer_source(viewer, 1);
	viewer_open_flow(viewer, FLOW_VIDEO, 1);
	viewer_open_flow(viewer, FLOW_AUDIO, 1);
	assert_true(viewer_until(viewer, second_was_asked, VIEWER_WAIT_MS));
	viewer_write_sound(viewer, 1, RING_SILENCE);
	viewer_write(viewer, 1, 1000, RING_KEY, 0);
	assert_true(viewer_until(viewer, is_on_second_first, VIEWER_WAIT_MS));
	assert_int_equal(viewer->newest_index, 1);
	assert_int_equal(viewer->active.stream_active.source, 2);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static bool has_sound(struct viewer *viewer) {
	return viewer_has_newest_sound(viewer);
}

static bool has_an_input(struct viewer *viewer) {
	return viewer->sources[0].input_count > 0;
}

static bool has_fifty_sounds(struct viewer *viewer) {
	return viewer->sounds >= 50;
}

static void sound_goes_on_by_itself_during_silence(void **state) {
	(void)state;
	struct viewer *viewer =
			viewer_create((struct viewer_config){ .encryption = ENCRYPT_AUDIO });
	viewer_connect(viewer);
	for (int i = 0; i < 7; i++) {
		viewer_write_sound(viewer, 0, 0);
		assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	}
	uint64_t begin_ms = clock_now_ms();
	uint64_t silence = viewer_write_sound(viewer, 0, RING_SILENCE);
	assert_true(viewer_until(viewer, has_fifty_sounds, VIEWER_WAIT_MS));
	uint64_t took_ms = clock_now_ms() - begin_ms;
	assert_true(took_ms >= 42 * 5 - 5);
	assert_int_equal(viewer->newest_sound, silence);
	viewer_write_sound(viewer, 0, 0);
	assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_switch_waits_for_the_new_key_and_leaves_no_gap(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	viewer_write_sound(viewer, 0, RING_SILENCE);
	assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	viewer_offer_source(viewer, 1);
	assert_true(viewer_until(viewer, second_was_asked, VIEWER_WAIT_MS));
	viewer_write(viewer, 1, 1000, 0, 0); /* no key: not yet */
	viewer_send_frames(viewer, 3, 100, 3000);
	assert_int_equal(viewer->actives, 1);
	assert_int_equal(viewer->newest_picture, 4);
	viewer_write_sound(viewer, 1, RING_SILENCE);
	viewer_write(viewer, 1, 9000, RING_KEY, 0);
	assert_true(viewer_until(viewer, is_on_second, VIEWER_WAIT_MS));
	assert_int_equal(viewer->active.stream_active.source, 2);
	assert_int_equal(viewer->active.stream_active.reason, REASON_NONE);
	assert_int_equal(viewer->newest_index, 5);
	assert_int_equal(viewer->sources[0].releases, 1);
	viewer_say_input(viewer, 2,
			(struct input_event){
					.kind = INPUT_KEY, .key = { .vk = 0x42, .down = true } });
	while (viewer->sources[1].input_count == 0) {
		assert_true(viewer_until(viewer, is_on_second, VIEWER_WAIT_MS));
		viewer_write_sound(viewer, 1, 0);
		assert_false(viewer_until(viewer, viewer_is_lost, 5));
	}
	assert_int_equal(viewer->sources[0].input_count, 0);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static bool has_second_answer(struct viewer *viewer) {
	return viewer->actives == 2;
}

/* Who hears that the viewer has moved ends the old source's encoder: none of its sound may
 * still be wanted then. */
static void a_move_is_told_when_sound_has_moved_as_well(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	for (int i = 0; i < 2; i++) {
		viewer_write_sound(viewer, 0, 0);
		assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	}
	viewer->sound_may_jump = true; /* the group that is never completed */
	viewer_offer_source(viewer, 1);
	assert_true(viewer_until(viewer, second_was_asked, VIEWER_WAIT_MS));
	viewer_write(viewer, 1, 9000, RING_KEY, 0);
	assert_true(viewer_until(viewer, has_second_answer, VIEWER_WAIT_MS));
	viewer_write_sound(viewer, 0, 0);
	assert_false(viewer_until(viewer, viewer_is_lost, 20));
	assert_int_equal(viewer->sounds, 2);
	viewer_destroy(viewer);
}

static void an_encoders_successor_goes_on_with_a_key(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ .invalidates = true });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 5, 100, 3000);
	viewer->sources[0].key_asks = 0;
	viewer_replace_part(viewer, IPC_STREAM_PICTURES);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	viewer_write(viewer, 0, 900, 0, 0); /* rests on what the client never got */
	viewer_write(viewer, 0, 5000, RING_KEY, 0);
	assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	assert_int_equal(viewer->newest_index, 7);
	assert_int_equal(viewer->newest_type, VIDEO_FRAME_IDR);
	assert_int_equal(viewer->active.stream_active.reason, REASON_NONE);
	viewer_send_frames(viewer, 3, 100, 3000);
	/* Input goes where it went. */
	viewer_say_input(viewer, 2,
			(struct input_event){ .kind = INPUT_MOUSE_MOVE, .move = { 5, -6 } });
	assert_true(viewer_until(viewer, has_an_input, VIEWER_WAIT_MS));
	assert_int_equal(viewer->dropped, 0);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_sound_encoders_successor_begins_with_a_group(void **state) {
	(void)state;
	struct viewer *viewer =
			viewer_create((struct viewer_config){ .encryption = ENCRYPT_AUDIO });
	viewer_connect(viewer);
	for (int i = 0; i < 6; i++) {
		viewer_write_sound(viewer, 0, 0);
		assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	}
	viewer->sound_may_jump = true;
	viewer_replace_part(viewer, IPC_STREAM_SOUND);
	do { /* what is there before it has the ring is old and passed over */
		viewer_write_sound(viewer, 0, 0);
	} while (!viewer_until(viewer, has_sound, 500));
	/* Six, and two that never come. */
	assert_int_equal(viewer->sound_timestamp, (6 + 2) * 5);
	viewer_write_sound(viewer, 0, 0);
	assert_true(viewer_until(viewer, has_sound, VIEWER_WAIT_MS));
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_source_without_a_key_is_given_up_after_a_second(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	uint64_t begin_ms = clock_now_ms();
	viewer_offer_source(viewer, 1);
	assert_true(viewer_until(viewer, has_second_answer, VIEWER_WAIT_MS));
	assert_true(clock_now_ms() - begin_ms >= 1000);
	assert_int_equal(viewer->active.stream_active.source, 2);
	assert_int_equal(viewer->active.stream_active.reason, REASON_NOT_READY);
	viewer_send_frames(viewer, 3, 100, 3000);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(a_source_that_comes_before_the_client_is_taken_at_once),
		UNIT(sound_goes_on_by_itself_during_silence),
		UNIT(a_switch_waits_for_the_new_key_and_leaves_no_gap),
		UNIT(a_move_is_told_when_sound_has_moved_as_well),
		UNIT(a_source_without_a_key_is_given_up_after_a_second),
		UNIT(an_encoders_successor_goes_on_with_a_key),
		UNIT(a_sound_encoders_successor_begins_with_a_group),
	};
	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
