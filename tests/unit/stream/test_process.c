/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <linux/input-event-codes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "ipc/page.h"
#include "ipc/reason.h"
#include "proto/input.h"
#include "stream/takeover.h"
#include "viewer.h"
#include "viewer_checks.h"

/* The real program, watched from all sides. */

static bool was_told_to_invalidate(struct viewer *viewer) {
	return viewer->sources[0].invalidations > 0;
}

static void frames_arrive_as_the_ring_held_them(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ .invalidates = true });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 60, 60, 60000);
	viewer_send_frames(viewer, 3, 400000, 1000000); /* several blocks */
	assert_int_equal(viewer->frames, 64);
	assert_int_equal(viewer->newest_index, 64);
	assert_int_equal(viewer->keys, 4);
	viewer_assert_clean(viewer);
	viewer_end_session(viewer);
	viewer_destroy(viewer);
}

static void frames_arrive_as_the_ring_held_them_when_all_is_encrypted(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){
			.encryption = ENCRYPT_CONTROL | ENCRYPT_VIDEO | ENCRYPT_AUDIO,
			.packet_size = 1360 });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 40, 60, 60000);
	viewer_send_frames(viewer, 2, 400000, 1000000);
	assert_int_equal(viewer->frames, 43);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

/* An encoder that answers what the client's losses lead to. */
static bool has_recovered(struct viewer *viewer) {
	struct viewer_source *source = &viewer->sources[0];
	if (source->key_asks > 0) {
		source->key_asks = 0;
		viewer_write(viewer, 0, 20000, RING_KEY, 0);
	} else if (source->invalidations > 0) {
		source->invalidations = 0;
		viewer_write(viewer, 0, 9000, RING_AFTER_INVALIDATION, source->first - 1);
	}
	return viewer_has_newest(viewer);
}

static void losses_are_made_good_by_parity_or_by_the_encoder(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ .invalidates = true,
			.loss = 100,
			.encryption = ENCRYPT_VIDEO,
			.packet_size = 1024 });
	viewer_connect(viewer);
	unsigned written = 1;
	/* A client notices the loss of a whole frame only when a later one comes. */
	for (; written < 250; written++) {
		viewer_write(viewer, 0, 2000 + written * 100 % 40000, 0, 0);
		viewer_until(viewer, has_recovered, 50);
	}
	for (int i = 0; i < 20 && !viewer_has_newest(viewer); i++) {
		viewer_write(viewer, 0, 3000, 0, 0);
		viewer_until(viewer, has_recovered, 500);
	}
	assert_true(viewer_has_newest(viewer));
	const struct video_receive_stats *stats = video_receive_stats(viewer->video);
	assert_true(stats->recovered > 50);
	assert_true(viewer->recoveries > 0);
	assert_true(viewer->frames > 200);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_clients_request_becomes_a_request_to_the_encoder(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	uint64_t begin_ns = clock_now_ns();
	client_control_kind(&viewer->control, 1, CONTROL_REQUEST_IDR);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	print_message("# request to request: %llu us\n",
			(unsigned long long)(clock_now_ns() - begin_ns) / 1000);
	assert_int_equal(viewer->sources[0].key_asks, 1);
	viewer_destroy(viewer);
}

static void a_loss_is_told_to_the_encoder_in_its_own_numbers(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ .invalidates = true });
	/* So that frame indices and ring sequences differ. */
	for (int i = 0; i < 37; i++) {
		viewer_write(viewer, 0, 100, 0, 0);
	}
	viewer_connect(viewer);
	viewer_send_frames(viewer, 9, 100, 3000);
	assert_int_equal(viewer->newest_index, 10);
	struct control_message lost = { .kind = CONTROL_INVALIDATE, .invalidate = { 7, 9 } };
	client_control_say(&viewer->control, 1, &lost);
	assert_true(viewer_until(viewer, was_told_to_invalidate, VIEWER_WAIT_MS));
	assert_int_equal(viewer->sources[0].first, 37 + 7);
	assert_int_equal(viewer->sources[0].last, 37 + 10);
	viewer_write(viewer, 0, 1000, 0, 0);                        /* rests on what is lost */
	viewer_write(viewer, 0, 1000, RING_AFTER_INVALIDATION, 44); /* this too */
	viewer_write(viewer, 0, 1000, RING_AFTER_INVALIDATION, 43);
	assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	assert_int_equal(viewer->newest_index, 11);
	assert_int_equal(viewer->newest_type, VIDEO_FRAME_AFTER_INVALIDATION);
	assert_int_equal(viewer->sources[0].key_asks, 0);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_client_with_one_reference_gets_a_key_instead(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create(
			(struct viewer_config){ .invalidates = true, .references = 1 });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 4, 100, 3000);
	struct control_message lost = { .kind = CONTROL_INVALIDATE, .invalidate = { 3, 3 } };
	client_control_say(&viewer->control, 1, &lost);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	assert_int_equal(viewer->sources[0].invalidations, 0);
	viewer_destroy(viewer);
}

static void a_lapped_stream_goes_on_with_a_key_and_without_a_gap(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	kill(viewer->pid, SIGSTOP);
	for (int i = 0; i < 300; i++) {
		viewer_write(viewer, 0, 500, 0, 0);
	}
	kill(viewer->pid, SIGCONT);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	viewer_write(viewer, 0, 500, RING_KEY, 0);
	assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	assert_int_equal(viewer->newest_index, viewer->frames);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static bool has_three_inputs(struct viewer *viewer) {
	return viewer->sources[0].input_count >= 3;
}

static void input_reaches_the_desktop_in_order(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	uint64_t begin_ns = clock_now_ns();
	viewer_say_input(viewer, 2,
			(struct input_event){
					.kind = INPUT_KEY, .key = { .vk = 0x41, .down = true } });
	viewer_say_input(viewer, 3,
			(struct input_event){ .kind = INPUT_MOUSE_MOVE, .move = { 5, -6 } });
	viewer_say_input(viewer, 2,
			(struct input_event){ .kind = INPUT_KEY, .key = { .vk = 0x41 } });
	assert_true(viewer_until(viewer, has_three_inputs, VIEWER_WAIT_MS));
	const struct ipc_message *inputs = viewer->sources[0].inputs;
	assert_int_equal(inputs[0].input.kind, INPUT_KEY_DOWN);
	assert_int_equal(inputs[0].input.code, KEY_A);
	assert_int_equal(inputs[1].input.kind, INPUT_MOTION);
	assert_int_equal(inputs[1].input.x, 5);
	assert_int_equal(inputs[1].input.y, -6);
	assert_int_equal(inputs[2].input.kind, INPUT_KEY_UP);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(inputs[i].input.sequence, inputs[0].input.sequence + (unsigned)i);
		assert_true(inputs[i].input.received_ns >= begin_ns);
		assert_true(inputs[i].input.received_ns <= clock_now_ns());
	}
	viewer_destroy(viewer);
}

static bool has_an_input_and_a_request(struct viewer *viewer) {
	return viewer->sources[0].input_count >= 1 && viewer->sources[0].key_asks >= 1;
}

static void nonsense_and_replays_do_not_end_the_session(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	struct control_message ask = { .kind = CONTROL_REQUEST_IDR };
	uint8_t bytes[CONTROL_ENVELOPE_MAX];
	size_t len = client_control_seal(&viewer->control, &ask, bytes, sizeof(bytes));
	for (int i = 0; i < 5; i++) {
		client_control_raw(&viewer->control, 1, bytes, len);
	}
	for (size_t i = 0; i < len; i += 5) {
		client_control_raw(&viewer->control, 1, bytes, i + 1);
	}
	uint8_t noise[200];
	for (unsigned i = 0; i < 100; i++) {
		for (size_t j = 0; j < sizeof(noise); j++) {
			viewer->random = viewer->random * 1664525 + 1013904223;
			noise[j] = (uint8_t)(viewer->random >> 24);
		}
		for (int flow = 0; flow < FLOWS; flow++) {
			assert_true(send(viewer->sockets[flow], noise, 1 + i * 2 % 199, 0) > 0);
		}
	}
	viewer_say_input(viewer, 2,
			(struct input_event){
					.kind = INPUT_KEY, .key = { .vk = 0x42, .down = true } });
	assert_true(viewer_until(viewer, has_an_input_and_a_request, VIEWER_WAIT_MS));
	assert_int_equal(viewer->sources[0].key_asks, 1);
	viewer_send_frames(viewer, 5, 100, 3000);
	assert_false(viewer->lost);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static bool was_refused(struct viewer *viewer) {
	uint8_t byte = 0;
	/* Nobody has the host's socket any more: the port is closed. */
	(void)!send(viewer->sockets[FLOW_VIDEO], &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	return viewer->refused[FLOW_VIDEO] > 0;
}

static void a_second_video_flow_is_refused_while_the_first_pings(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	int first = viewer->sockets[FLOW_VIDEO];
	viewer->sockets[FLOW_VIDEO] = -1;
	viewer_open_flow(viewer, FLOW_VIDEO, 2);
	assert_true(viewer_until(viewer, was_refused, VIEWER_WAIT_MS));
	fd_close(viewer->sockets[FLOW_VIDEO]);
	viewer->sockets[FLOW_VIDEO] = first;
	viewer_send_frames(viewer, 3, 100, 3000);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static bool is_proven(struct viewer *viewer) {
	return viewer->proven == 1;
}

static void a_client_that_moves_is_followed(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	/* Control at once, with a message that only the client can write. */
	client_control_kind(&viewer->control, 1, CONTROL_REQUEST_IDR);
	viewer_open_flow(viewer, FLOW_CONTROL, 0);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	/* For sound and pictures to follow; on another channel, so after or before that. */
	assert_true(viewer_until(viewer, is_proven, VIEWER_WAIT_MS));
	viewer->sources[0].key_asks = 0;
	client_control_kind(&viewer->control, 1, CONTROL_PING);
	/* Pictures after three pings were missed, of which none was sent here. */
	viewer_until_ns(viewer, clock_now_ns() + 1600 * NS_PER_MS);
	viewer_open_flow(viewer, FLOW_VIDEO, 2);
	client_control_kind(&viewer->control, 1, CONTROL_REQUEST_IDR);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	viewer_send_frames(viewer, 5, 100, 30000);
	assert_false(viewer->lost);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void a_frame_that_does_not_get_through_leads_to_a_key(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ .narrow = true });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 3, 100, 3000);
	viewer->deaf = true;
	viewer_write(viewer, 0, 1500000, 0, 0); /* more than the socket holds */
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	viewer->deaf = false;
	viewer_write(viewer, 0, 1000, 0, 0); /* rests on it */
	viewer_write(viewer, 0, 3000, RING_KEY, 0);
	assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	/* Frame 5 has left in part and keeps its index. */
	assert_int_equal(viewer->newest_index, 6);
	assert_int_equal(viewer->newest_type, VIDEO_FRAME_IDR);
	viewer_send_frames(viewer, 3, 100, 3000);
	viewer_assert_clean(viewer);
	viewer_destroy(viewer);
}

static void the_end_is_said_before_the_connection_closes(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	viewer_end_session(viewer);
	assert_int_equal(viewer->control.termination, 0x80030023);
	assert_true(viewer->control.disconnected);
	assert_int_equal(viewer->control.end, ENET_END_PEER);
	assert_true(viewer->stopped);
	assert_int_equal(viewer->stopped_reason, REASON_ASKED);
	assert_int_equal(viewer->sources[0].releases, 1);
	viewer_destroy(viewer);
}

static void a_client_that_disconnects_has_left(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	enet_peer_disconnect(&viewer->control.peer, ENET_GOODBYE_LATER, 0, clock_now_ms());
	assert_true(viewer_until(viewer, viewer_is_lost, VIEWER_WAIT_MS));
	assert_int_equal(viewer->lost_reason, REASON_CLIENT_LEFT);
	viewer_end_session(viewer);
	assert_int_equal(viewer->sources[0].releases, 2);
	viewer_destroy(viewer);
}

static void a_client_that_is_not_heard_for_ten_seconds_is_silent(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	uint64_t begin_ms = clock_now_ms();
	fd_release(&viewer->sockets[FLOW_CONTROL]); /* and ports that refuse */
	fd_release(&viewer->sockets[FLOW_VIDEO]);
	assert_true(viewer_until(viewer, viewer_is_lost, 3 * VIEWER_WAIT_MS));
	assert_int_equal(viewer->lost_reason, REASON_CLIENT_SILENT);
	assert_true(clock_now_ms() - begin_ms > 8000);
	viewer_end_session(viewer);
	viewer_destroy(viewer);
}

static bool has_stats(struct viewer *viewer) {
	return viewer->stats.stream_stats.pictures > 0;
}

static bool has_later_stats(struct viewer *viewer) {
	return viewer->stats.stream_stats.pictures >= 25;
}

static void counters_are_told_each_second(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 20, 100, 3000);
	struct control_message status = { .kind = CONTROL_FEC_STATUS, .fec_status.missing = 3 };
	client_control_say(&viewer->control, 0, &status);
	assert_true(viewer_until(viewer, has_stats, VIEWER_WAIT_MS));
	assert_true(viewer->stats.stream_stats.pictures > 10);
	assert_true(viewer->stats.stream_stats.video_packets > 30);
	/* What viewer_write() pretends took 3 ms. */
	assert_true(viewer->stats.stream_stats.age_p50_us >= 3000);
	assert_true(viewer->stats.stream_stats.hand_p50_us < viewer->stats.stream_stats.age_p50_us);
	print_message("# hand-overs p50 %u us p99 %u us\n", viewer->stats.stream_stats.hand_p50_us,
			viewer->stats.stream_stats.hand_p99_us);
	assert_int_equal(viewer->stats.stream_stats.recoveries, 0);
	viewer_send_frames(viewer, 5, 100, 3000);
	assert_true(viewer_until(viewer, has_later_stats, VIEWER_WAIT_MS));
	viewer_destroy(viewer);
}

static bool has_told_of_both_losses(struct viewer *viewer) {
	return viewer->stats.stream_stats.invalidations == 2 &&
	       viewer->stats.stream_stats.recoveries > 0;
}

/* What its client lost, and not what is asked for at the beginning or for an encoder's
 * successor. While one answer is awaited more losses ask for nothing. */
static void recoveries_that_its_client_caused_are_told(void **state) {
	(void)state;
	struct viewer *viewer = viewer_create((struct viewer_config){ 0 });
	viewer_connect(viewer);
	viewer_send_frames(viewer, 5, 100, 3000);
	viewer_replace_part(viewer, IPC_STREAM_PICTURES);
	assert_true(viewer_until(viewer, viewer_was_asked_for_a_key, VIEWER_WAIT_MS));
	viewer_write(viewer, 0, 5000, RING_KEY, 0);
	assert_true(viewer_until(viewer, viewer_has_newest, VIEWER_WAIT_MS));
	for (uint32_t frame = 6; frame <= 7; frame++) {
		struct control_message lost = { .kind = CONTROL_INVALIDATE,
			.invalidate = { frame, frame } };
		client_control_say(&viewer->control, 0, &lost);
	}
	assert_true(viewer_until(viewer, has_told_of_both_losses, VIEWER_WAIT_MS));
	assert_int_equal(viewer->stats.stream_stats.recoveries, 1);
	viewer_destroy(viewer);
}

static void a_killed_stream_leaves_a_page_that_covers_what_was_seen(void **state) {
	(void)state;
	static uint8_t content[PAGE_CONTENT_MAX];
	struct takeover *takeover = calloc(1, sizeof(*takeover));
	for (unsigned round = 0; round < 5; round++) {
		struct viewer *viewer = viewer_create((struct viewer_config){
				.encryption = ENCRYPT_VIDEO, .packet_size = 1360 });
		viewer_connect(viewer);
		viewer_send_frames(viewer, 3 + round, 100, 30000);
		for (int i = 0; i < 20; i++) {
			viewer_write(viewer, 0, 100000, 0, 0);
		}
		kill(viewer->pid, SIGKILL); /* in the middle of them */
		assert_true(viewer_until(viewer, viewer_has_exited, VIEWER_WAIT_MS));
		int size = page_read(&viewer->page, content, sizeof(content));
		assert_true(size > 0);
		assert_int_equal(takeover_decode(content, (size_t)size, takeover), 0);
		assert_true(takeover->video.next_frame > viewer->newest_index);
		assert_true(takeover->video.next_iv >= viewer->datagrams);
		assert_true(takeover->video.next_packet >= viewer->datagrams);
		assert_int_equal(takeover->control_reserved, 256);
		assert_int_equal(takeover->flags,
				TAKEOVER_STARTED | TAKEOVER_PROVEN | TAKEOVER_FIRST_SENT);
		assert_true(takeover->flows[FLOW_VIDEO].peer.port != 0);
		struct enet_peer *peer = malloc(sizeof(*peer));
		struct reader r = reader_over(takeover->enet, takeover->enet_len);
		assert_int_equal(enet_peer_load(peer, &r), 0);
		free(peer);
		viewer_destroy(viewer);
	}
	free(takeover);
}

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		UNIT(frames_arrive_as_the_ring_held_them),
		UNIT(frames_arrive_as_the_ring_held_them_when_all_is_encrypted),
		UNIT(losses_are_made_good_by_parity_or_by_the_encoder),
		UNIT(a_clients_request_becomes_a_request_to_the_encoder),
		UNIT(a_loss_is_told_to_the_encoder_in_its_own_numbers),
		UNIT(a_client_with_one_reference_gets_a_key_instead),
		UNIT(a_lapped_stream_goes_on_with_a_key_and_without_a_gap),
		UNIT(input_reaches_the_desktop_in_order),
		UNIT(nonsense_and_replays_do_not_end_the_session),
		UNIT(a_second_video_flow_is_refused_while_the_first_pings),
		UNIT(a_client_that_moves_is_followed),
		UNIT(a_frame_that_does_not_get_through_leads_to_a_key),
		UNIT(the_end_is_said_before_the_connection_closes),
		UNIT(a_client_that_disconnects_has_left),
		UNIT(counters_are_told_each_second),
		UNIT(recoveries_that_its_client_caused_are_told),
		UNIT(a_killed_stream_leaves_a_page_that_covers_what_was_seen),
		UNIT(a_client_that_is_not_heard_for_ten_seconds_is_silent),
	};
	if (argc > 1) {
		cmocka_set_test_filter(argv[1]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
