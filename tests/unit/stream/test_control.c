/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "client_control.h"
#include "stream/control.h"

enum {
	CONNECT_DATA = 0x00c0ffee,
	LOCAL_ID = 0x123,
	BEGIN_MS = 50000,
};

static const struct secret key = { .bytes = { 1, 2, 3, 4 } };

struct scene {
	struct stream_control host;
	struct client_control client;
	uint64_t now_ms;
	unsigned started, keys, inputs, statuses, gone;
	uint32_t lost_first, lost_last;
	enum reason reason;
	uint64_t reserved;
	uint8_t input[64];
	size_t input_len;
};

static void on_started(void *user) {
	struct scene *scene = user;
	struct control_message message = { .kind = CONTROL_HDR_MODE };
	scene->started++;
	assert_int_equal(stream_control_say(&scene->host, &message), 0);
}

static void on_key(void *user) {
	((struct scene *)user)->keys++;
}

static void on_lost(void *user, uint32_t first, uint32_t last) {
	struct scene *scene = user;
	scene->lost_first = first;
	scene->lost_last = last;
}

static void on_input(void *user, uint64_t sequence, const uint8_t *data, size_t len) {
	struct scene *scene = user;
	assert_true(sequence > 0);
	scene->inputs++;
	scene->input_len = len;
	memcpy(scene->input, data, len);
}

static void on_status(void *user, const struct control_fec_status *status) {
	((struct scene *)user)->statuses += status->missing;
}

static void on_gone(void *user, enum reason reason) {
	struct scene *scene = user;
	scene->gone++;
	scene->reason = reason;
}

static void on_reserve(void *user, uint64_t end) {
	struct scene *scene = user;
	assert_true(end > scene->reserved);
	assert_true(scene->host.sealer.next <= scene->reserved);
	scene->reserved = end;
}

static const struct stream_control_events events = {
	.started = on_started,
	.key_wanted = on_key,
	.frames_lost = on_lost,
	.input = on_input,
	.fec_status = on_status,
	.gone = on_gone,
	.reserve = on_reserve,
};

/* Carries datagrams both ways until neither has one. */
static void exchange(struct scene *scene) {
	uint8_t bytes[ENET_DATAGRAM_MAX];
	size_t len;
	bool moved = true;
	while (moved) {
		moved = false;
		while ((len = enet_peer_transmit(&scene->client.peer, scene->now_ms, bytes,
					sizeof(bytes)))) {
			moved = true;
			if (!scene->host.accepted) {
				assert_true(stream_control_offer(
						&scene->host, bytes, len, scene->now_ms));
			} else {
				stream_control_receive(&scene->host, bytes, len, scene->now_ms);
			}
		}
		while ((len = stream_control_transmit(
					&scene->host, scene->now_ms, bytes, sizeof(bytes)))) {
			moved = true;
			client_control_receive(&scene->client, bytes, len, scene->now_ms);
		}
		stream_control_tick(&scene->host, scene->now_ms);
	}
}

static int setup(void **state) {
	struct scene *scene = calloc(1, sizeof(*scene));
	scene->now_ms = BEGIN_MS;
	assert_int_equal(stream_control_init(&scene->host, &key, 0, CONNECT_DATA, LOCAL_ID, &events,
					 scene),
			0);
	client_control_init(&scene->client, &key, CONNECT_DATA, scene->now_ms);
	exchange(scene);
	assert_true(scene->host.connected && scene->client.connected);
	*state = scene;
	return 0;
}

static int teardown(void **state) {
	struct scene *scene = *state;
	client_control_finish(&scene->client);
	stream_control_finish(&scene->host);
	free(scene);
	return 0;
}

static void start_a_and_b_are_seen_and_answered_with_the_hdr_mode(void **state) {
	struct scene *scene = *state;
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	client_control_kind(&scene->client, 0, CONTROL_START_B);
	exchange(scene);
	assert_int_equal(scene->keys, 1);
	assert_int_equal(scene->started, 1);
	assert_true(scene->client.hdr_said);
	assert_int_equal(scene->client.strange, 0);
}

static void a_loss_an_input_and_a_report_arrive_as_they_were_said(void **state) {
	struct scene *scene = *state;
	struct control_message lost = { .kind = CONTROL_INVALIDATE, .invalidate = { 17, 19 } };
	struct control_message input = { .kind = CONTROL_INPUT,
		.input = { .data = (const uint8_t *)"12345678", .len = 8 } };
	struct control_message status = { .kind = CONTROL_FEC_STATUS, .fec_status.missing = 9 };
	client_control_say(&scene->client, 1, &lost);
	client_control_say(&scene->client, 3, &input);
	client_control_say(&scene->client, 0, &status);
	exchange(scene);
	assert_int_equal(scene->lost_first, 17);
	assert_int_equal(scene->lost_last, 19);
	assert_int_equal(scene->inputs, 1);
	assert_memory_equal(scene->input, "12345678", 8);
	assert_int_equal(scene->statuses, 9);
}

static void nonsense_replays_and_clear_messages_are_counted_and_dropped(void **state) {
	struct scene *scene = *state;
	struct control_message ask = { .kind = CONTROL_REQUEST_IDR };
	uint8_t bytes[CONTROL_ENVELOPE_MAX], bad[CONTROL_ENVELOPE_MAX];
	size_t len = client_control_seal(&scene->client, &ask, bytes, sizeof(bytes));
	memcpy(bad, bytes, len);
	bad[len - 1] ^= 1;
	client_control_raw(&scene->client, 1, bad, len);        /* bad tag */
	client_control_raw(&scene->client, 1, bytes, len);      /* genuine */
	client_control_raw(&scene->client, 1, bytes, len);      /* replayed */
	client_control_raw(&scene->client, 1, "\2\3\2\0\0", 6); /* clear */
	client_control_raw(&scene->client, 0, "x", 1);
	client_control_raw(&scene->client, 0, bytes, len - 1);
	uint8_t unknown[] = { 0x34, 0x12, 0, 0 };
	size_t sealed;
	assert_int_equal(control_seal(&scene->client.sealer, unknown, sizeof(unknown), bytes,
					 sizeof(bytes), &sealed),
			0);
	client_control_raw(&scene->client, 0, bytes, sealed);
	exchange(scene);
	assert_int_equal(scene->keys, 1);
	assert_int_equal(scene->host.counters.refused, 5);
	assert_int_equal(scene->host.counters.unknown, 1);
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	exchange(scene);
	assert_int_equal(scene->keys, 2);
	assert_int_equal(scene->gone, 0);
}

static void ten_seconds_of_silence_are_a_silent_client(void **state) {
	struct scene *scene = *state;
	scene->now_ms += STREAM_CONTROL_SILENCE_MS - 1;
	stream_control_tick(&scene->host, scene->now_ms);
	assert_int_equal(scene->gone, 0);
	assert_true(stream_control_deadline_ms(&scene->host) <= scene->now_ms + 1);
	scene->now_ms += 1;
	stream_control_tick(&scene->host, scene->now_ms);
	stream_control_tick(&scene->host, scene->now_ms);
	assert_int_equal(scene->gone, 1);
	assert_int_equal(scene->reason, REASON_CLIENT_SILENT);
}

static void any_datagram_of_the_client_ends_the_silence(void **state) {
	struct scene *scene = *state;
	for (int i = 0; i < 30; i++) {
		scene->now_ms += STREAM_CONTROL_SILENCE_MS / 10;
		exchange(scene); /* ENet's own pings */
	}
	assert_int_equal(scene->gone, 0);
}

static void enets_disconnect_is_a_client_that_left(void **state) {
	struct scene *scene = *state;
	enet_peer_disconnect(&scene->client.peer, ENET_GOODBYE_LATER, 0, scene->now_ms);
	exchange(scene);
	assert_int_equal(scene->gone, 1);
	assert_int_equal(scene->reason, REASON_CLIENT_LEFT);
	assert_true(stream_control_is_over(&scene->host));
}

static void the_goodbye_names_the_code_before_it_disconnects(void **state) {
	struct scene *scene = *state;
	stream_control_goodbye(&scene->host, CONTROL_END_ORDERLY, scene->now_ms);
	assert_false(stream_control_is_over(&scene->host));
	exchange(scene);
	assert_int_equal(scene->client.termination, CONTROL_END_ORDERLY);
	assert_true(scene->client.disconnected);
	assert_true(stream_control_is_over(&scene->host));
	assert_int_equal(scene->gone, 0);
}

static void sequences_are_reserved_before_they_are_used(void **state) {
	struct scene *scene = *state;
	for (unsigned i = 0; i < 3 * STREAM_CONTROL_RESERVE; i++) {
		struct control_message message = { .kind = CONTROL_RUMBLE };
		assert_int_equal(stream_control_say(&scene->host, &message), 0);
		assert_true(scene->host.sealer.next <= scene->reserved);
		exchange(scene);
	}
	assert_int_equal(scene->reserved, 3 * STREAM_CONTROL_RESERVE);
}

static void the_connection_moves_only_with_a_message_that_is_new_and_genuine(void **state) {
	struct scene *scene = *state;
	uint8_t ping[ENET_MTU], said[ENET_MTU];
	/* ENet's own datagrams prove nothing: their ids can be guessed. */
	scene->now_ms += 600;
	size_t ping_len =
			enet_peer_transmit(&scene->client.peer, scene->now_ms, ping, sizeof(ping));
	assert_true(ping_len > 0);
	assert_false(stream_control_offer(&scene->host, ping, ping_len, scene->now_ms));
	stream_control_receive(&scene->host, ping, ping_len, scene->now_ms);
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	size_t said_len =
			enet_peer_transmit(&scene->client.peer, scene->now_ms, said, sizeof(said));
	assert_true(stream_control_offer(&scene->host, said, said_len, scene->now_ms));
	assert_int_equal(scene->keys, 1);
	/* Whoever saw it on the way and sends it again moves nothing. */
	assert_false(stream_control_offer(&scene->host, said, said_len, scene->now_ms));
	assert_int_equal(scene->keys, 1);
	exchange(scene);
	assert_int_equal(scene->gone, 0);
}

/* Of what it says while it moves the first is lost, and what follows has to wait for that. */
static void a_message_that_must_wait_for_a_lost_one_moves_it_as_well(void **state) {
	struct scene *scene = *state;
	uint8_t lost[ENET_MTU], said[ENET_MTU], next[ENET_MTU];
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	assert_true(enet_peer_transmit(&scene->client.peer, scene->now_ms, lost, sizeof(lost)) > 0);
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	size_t said_len =
			enet_peer_transmit(&scene->client.peer, scene->now_ms, said, sizeof(said));
	said[said_len - 1] ^= 1; /* by somebody without the key */
	assert_false(stream_control_offer(&scene->host, said, said_len, scene->now_ms));
	said[said_len - 1] ^= 1;
	assert_true(stream_control_offer(&scene->host, said, said_len, scene->now_ms));
	assert_int_equal(scene->keys, 0);
	/* It waits now: again, from elsewhere, it moves nothing. */
	assert_false(stream_control_offer(&scene->host, said, said_len, scene->now_ms));
	client_control_kind(&scene->client, 1, CONTROL_REQUEST_IDR);
	size_t next_len =
			enet_peer_transmit(&scene->client.peer, scene->now_ms, next, sizeof(next));
	assert_true(stream_control_offer(&scene->host, next, next_len, scene->now_ms));
	scene->now_ms += 2000;
	exchange(scene);
	assert_int_equal(scene->keys, 3);
	assert_int_equal(scene->gone, 0);
}

static void a_connect_with_another_secret_is_refused(void **state) {
	struct scene *scene = *state;
	struct stream_control host;
	struct client_control stranger;
	uint8_t bytes[ENET_MTU];
	assert_int_equal(
			stream_control_init(&host, &key, 0, CONNECT_DATA, LOCAL_ID, &events, scene),
			0);
	client_control_init(&stranger, &key, CONNECT_DATA + 1, scene->now_ms);
	size_t len = enet_peer_transmit(&stranger.peer, scene->now_ms, bytes, sizeof(bytes));
	assert_false(stream_control_offer(&host, bytes, len, scene->now_ms));
	assert_false(stream_control_offer(&host, "", 0, scene->now_ms));
	assert_false(host.accepted);
	client_control_finish(&stranger);
	stream_control_finish(&host);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		SCENE(start_a_and_b_are_seen_and_answered_with_the_hdr_mode),
		SCENE(a_loss_an_input_and_a_report_arrive_as_they_were_said),
		SCENE(nonsense_replays_and_clear_messages_are_counted_and_dropped),
		SCENE(ten_seconds_of_silence_are_a_silent_client),
		SCENE(any_datagram_of_the_client_ends_the_silence),
		SCENE(enets_disconnect_is_a_client_that_left),
		SCENE(the_goodbye_names_the_code_before_it_disconnects),
		SCENE(sequences_are_reserved_before_they_are_used),
		SCENE(the_connection_moves_only_with_a_message_that_is_new_and_genuine),
		SCENE(a_message_that_must_wait_for_a_lost_one_moves_it_as_well),
		SCENE(a_connect_with_another_secret_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
