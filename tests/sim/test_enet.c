/* SPDX-License-Identifier: MIT */
#include "../unit/unit.h"

#include <stdlib.h>

#include "enet_pair.h"

enum {
	DATA = 0xcafe1234,
	CHANNELS = 48,
	MINUTE_MS = 60000,
};

/* What one side of a run sent and got. Every packet carries its number within
 * its channel, and a pattern made from it. */
struct side {
	unsigned connected, disconnected;
	uint32_t data;
	enum enet_end end;
	uint32_t sent[CHANNELS], got[CHANNELS];
	uint32_t to_send[CHANNELS];
	unsigned unreliable_got, unsequenced_got, out_of_order;
	uint8_t seen[2048]; /* unsequenced packets, each at most once */
};

struct run {
	struct side sides[2];
	unsigned size_max;
};

static size_t fill(uint8_t *bytes, uint32_t number, size_t len) {
	len = len < 4 ? 4 : len;
	struct writer w = writer_over(bytes, 4);
	writer_be32(&w, number);
	for (size_t i = 4; i < len; i++) {
		bytes[i] = (uint8_t)(number * 31 + i * 7);
	}
	return len;
}

static uint32_t check(const struct enet_event *event) {
	struct reader r = reader_over(event->bytes, event->len);
	uint32_t number = reader_be32(&r);
	assert_false(r.failed);
	for (size_t i = 4; i < event->len; i++) {
		assert_int_equal(event->bytes[i], (uint8_t)(number * 31 + i * 7));
	}
	return number;
}

static void on_event(struct pair *pair, int who, const struct enet_event *event) {
	struct side *side = &((struct run *)pair->context)->sides[who];
	switch (event->kind) {
	case ENET_EVENT_CONNECTED:
		assert_int_equal(event->data, DATA);
		side->connected++;
		return;
	case ENET_EVENT_DISCONNECTED:
		side->disconnected++;
		side->data = event->data;
		side->end = event->end;
		return;
	case ENET_EVENT_PACKET:
		break;
	}
	assert_int_equal(side->connected, 1);
	assert_int_equal(side->disconnected, 0);
	uint32_t number = check(event);
	if (event->delivery == ENET_UNSEQUENCED) {
		assert_true(number < sizeof(side->seen));
		assert_false(side->seen[number]);
		side->seen[number] = 1;
		side->unsequenced_got++;
	} else if (event->delivery == ENET_UNRELIABLE) {
		side->unreliable_got++;
		assert_true(number >= side->got[event->channel]);
		side->got[event->channel] = number + 1;
	} else {
		assert_int_equal(number, side->got[event->channel]);
		side->got[event->channel]++;
	}
}

static void start(struct pair *pair, struct run *run, uint64_t seed, struct pair_link link) {
	*run = (struct run){ .size_max = 200 };
	pair_init(pair, seed, link, DATA);
	pair->on_event = on_event;
	pair->context = run;
}

static bool both_connected(struct pair *pair) {
	struct run *run = (struct run *)pair->context;
	return run->sides[0].connected && run->sides[1].connected;
}

static bool both_disconnected(struct pair *pair) {
	struct run *run = (struct run *)pair->context;
	return run->sides[0].disconnected && run->sides[1].disconnected;
}

/* Sends what there is room for; true when everything sent has arrived. */
static bool feed(struct pair *pair) {
	struct run *run = (struct run *)pair->context;
	bool all = true;
	for (int who = 0; who < 2; who++) {
		struct side *side = &run->sides[who];
		for (uint8_t c = 0; c < CHANNELS; c++) {
			while (side->sent[c] < side->to_send[c]) {
				uint8_t bytes[ENET_PACKET_MAX];
				size_t len = fill(bytes, side->sent[c],
						pair_random(pair, run->size_max + 1));
				if (enet_peer_send(pair->peers[who], c, ENET_RELIABLE, bytes, len) <
						0) {
					break;
				}
				side->sent[c]++;
			}
			all = all && run->sides[!who].got[c] == side->to_send[c];
		}
	}
	return all;
}

static void exchange(uint64_t seed, struct pair_link link, unsigned packets, unsigned size_max,
		bool successors) {
	struct pair pair;
	struct run run;
	start(&pair, &run, seed, link);
	pair.successors = successors;
	run.size_max = size_max;
	assert_true(pair_run(&pair, 10000, both_connected));
	assert_int_equal(enet_peer_channels(pair.peers[PAIR_HOST]), CHANNELS);
	static const uint8_t used[] = { 0, 1, 2, 3, 0x10, 0x2f };
	for (unsigned i = 0; i < ARRAY_LEN(used); i++) {
		run.sides[0].to_send[used[i]] = packets;
		run.sides[1].to_send[used[i]] = packets / 2;
	}
	assert_true(pair_run(&pair, 10 * MINUTE_MS, feed));
	assert_int_equal(run.sides[0].disconnected + run.sides[1].disconnected, 0);
	assert_int_equal(pair.peers[0]->counters.malformed + pair.peers[1]->counters.malformed, 0);
	assert_int_equal(pair.peers[0]->counters.refused, 0);
	assert_int_equal(pair.peers[1]->counters.foreign, 0);
	pair_finish(&pair);
}

static void reliable_packets_arrive_in_order_on_a_clean_link(void **state) {
	(void)state;
	exchange(1, (struct pair_link){ .delay_ms = 5 }, 500, 200, false);
}

static void reliable_packets_arrive_in_order_under_loss_twins_and_reordering(void **state) {
	(void)state;
	struct pair_link link = { .loss = 20, .twice = 10, .delay_ms = 20, .jitter_ms = 30 };
	for (uint64_t seed = 1; seed <= 10; seed++) {
		exchange(seed, link, 200, 200, false);
	}
}

static void fragmented_packets_arrive_whole_under_loss(void **state) {
	(void)state;
	struct pair_link link = { .loss = 20, .twice = 5, .delay_ms = 15, .jitter_ms = 40 };
	for (uint64_t seed = 20; seed <= 24; seed++) {
		exchange(seed, link, 40, ENET_PACKET_MAX, false);
	}
}

static void a_successor_at_every_step_loses_nothing(void **state) {
	(void)state;
	struct pair_link link = { .loss = 20, .twice = 10, .delay_ms = 10, .jitter_ms = 30 };
	exchange(31, link, 60, 300, true);
	exchange(32, link, 12, ENET_PACKET_MAX, true);
}

static void sequences_wrap(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 3, (struct pair_link){ .loss = 2, .delay_ms = 1, .jitter_ms = 3 });
	run.size_max = 4;
	assert_true(pair_run(&pair, 10000, both_connected));
	run.sides[0].to_send[3] = 70000;
	assert_true(pair_run(&pair, 60 * MINUTE_MS, feed));
	pair_finish(&pair);
}

static void unreliable_packets_are_in_order_and_unsequenced_ones_come_once(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	struct pair_link link = { .loss = 10, .twice = 20, .delay_ms = 10, .jitter_ms = 25 };
	start(&pair, &run, 4, link);
	assert_true(pair_run(&pair, 10000, both_connected));
	for (uint32_t i = 0; i < 1500; i++) {
		uint8_t bytes[2000];
		size_t len = fill(bytes, i, 8);
		assert_int_equal(enet_peer_send(pair.peers[0], 5, ENET_UNSEQUENCED, bytes, len), 0);
		len = fill(bytes, i, i % 5 ? 50 : 2000);
		assert_int_equal(enet_peer_send(pair.peers[0], 7, ENET_UNRELIABLE, bytes, len), 0);
		pair_run(&pair, 3, NULL);
	}
	pair_run(&pair, 1000, NULL);
	assert_in_range(run.sides[1].unsequenced_got, 1000, 1500);
	assert_in_range(run.sides[1].unreliable_got, 300, 1500);
	pair_finish(&pair);
}

/* Unreliable packets on the same channel keep their place between reliable ones. */
static void reliable_and_unreliable_share_a_channel_in_order(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 5, (struct pair_link){ .delay_ms = 10 });
	assert_true(pair_run(&pair, 10000, both_connected));
	for (uint32_t i = 0; i < 60; i++) {
		uint8_t bytes[64];
		size_t len = fill(bytes, i, 20);
		enum enet_delivery delivery = i % 3 ? ENET_UNRELIABLE : ENET_RELIABLE;
		assert_int_equal(enet_peer_send(pair.peers[0], 2, delivery, bytes, len), 0);
	}
	pair_run(&pair, 1000, NULL);
	assert_int_equal(run.sides[1].got[2], 60);
	assert_int_equal(run.sides[1].unreliable_got, 40);
	pair_finish(&pair);
}

static void later_disconnects_after_everything_arrived(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 6, (struct pair_link){ .loss = 10, .delay_ms = 10 });
	assert_true(pair_run(&pair, 10000, both_connected));
	pair_run(&pair, 2000, NULL); /* pings measure the round trip */
	run.sides[1].to_send[0] = 50;
	feed(&pair);
	enet_peer_disconnect(pair.peers[PAIR_HOST], ENET_GOODBYE_LATER, 42, pair.now_ms);
	uint8_t byte = 0;
	assert_int_equal(
			enet_peer_send(pair.peers[PAIR_HOST], 0, ENET_RELIABLE, &byte, 1), -EPROTO);
	assert_true(pair_run(&pair, 3000, both_disconnected));
	assert_int_equal(run.sides[0].got[0], 50);
	assert_int_equal(run.sides[0].data, 42);
	assert_int_equal(run.sides[0].end, ENET_END_PEER);
	assert_int_equal(run.sides[1].end, ENET_END_LOCAL);
	pair_run(&pair, 5000, NULL);
	assert_true(enet_peer_next_deadline(pair.peers[0]) == UINT64_MAX);
	assert_true(enet_peer_next_deadline(pair.peers[1]) == UINT64_MAX);
	pair_finish(&pair);
}

static void soon_and_now_disconnect(void **state) {
	(void)state;
	static const enum enet_goodbye how[] = { ENET_GOODBYE_SOON, ENET_GOODBYE_NOW };
	for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
		struct pair pair;
		struct run run;
		start(&pair, &run, 7, (struct pair_link){ .delay_ms = 10 });
		assert_true(pair_run(&pair, 10000, both_connected));
		enet_peer_disconnect(pair.peers[PAIR_CLIENT], how[i], 9, pair.now_ms);
		assert_true(pair_run(&pair, 1000, both_disconnected));
		assert_int_equal(run.sides[1].end, ENET_END_PEER);
		assert_int_equal(run.sides[1].data, 9);
		assert_int_equal(run.sides[0].end, ENET_END_LOCAL);
		pair_finish(&pair);
	}
}

static void a_goodbye_nobody_hears_ends_by_itself(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 8, (struct pair_link){ .delay_ms = 10 });
	assert_true(pair_run(&pair, 10000, both_connected));
	pair.cut = true;
	enet_peer_disconnect(pair.peers[PAIR_CLIENT], ENET_GOODBYE_SOON, 9, pair.now_ms);
	pair_run(&pair, ENET_GOODBYE_MS + 1, NULL);
	assert_int_equal(run.sides[0].disconnected, 1);
	assert_int_equal(run.sides[0].end, ENET_END_TIMEOUT);
	pair_finish(&pair);
}

static void a_dead_peer_is_noticed_after_ten_seconds(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 9, (struct pair_link){ .delay_ms = 10 });
	assert_true(pair_run(&pair, 10000, both_connected));
	pair_run(&pair, 30000, NULL);
	assert_int_equal(run.sides[0].disconnected + run.sides[1].disconnected, 0);
	pair.cut = true;
	pair_run(&pair, ENET_TIMEOUT_MS - 1000, NULL);
	assert_int_equal(run.sides[0].disconnected + run.sides[1].disconnected, 0);
	pair_run(&pair, 4000, NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(run.sides[i].disconnected, 1);
		assert_int_equal(run.sides[i].end, ENET_END_TIMEOUT);
	}
	pair_finish(&pair);
}

static void a_gap_of_eight_seconds_is_survived(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 10, (struct pair_link){ .delay_ms = 10 });
	assert_true(pair_run(&pair, 10000, both_connected));
	pair.cut = true;
	run.sides[0].to_send[1] = 20;
	feed(&pair);
	pair_run(&pair, 8000, NULL);
	pair.cut = false;
	assert_true(pair_run(&pair, 3000, feed));
	assert_int_equal(run.sides[0].disconnected + run.sides[1].disconnected, 0);
	pair_finish(&pair);
}

static void an_unanswered_connect_ends(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 11, (struct pair_link){ .loss = 100 });
	pair_run(&pair, ENET_TIMEOUT_MS + 1, NULL);
	assert_int_equal(run.sides[0].disconnected, 1);
	assert_int_equal(run.sides[0].end, ENET_END_TIMEOUT);
	pair_finish(&pair);
}

/* Whoever writes a stranger's address on a CONNECT must not win anything. */
static void an_unproven_client_gets_no_more_bytes_than_it_sent(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 12, (struct pair_link){ .delay_ms = 1 });
	uint8_t connect[ENET_MTU], out[ENET_MTU];
	size_t len = enet_peer_transmit(pair.peers[0], pair.now_ms, connect, sizeof(connect));
	assert_int_equal(len, ENET_CONNECT_SIZE);
	struct enet_peer *host = pair.peers[1];
	assert_int_equal(enet_peer_accept(host, connect, len, 1, pair.now_ms), 0);
	size_t in_bytes = len, out_bytes = 0, answers = 0;
	for (unsigned i = 0; i < 20; i++) {
		for (size_t n; (n = enet_peer_transmit(host, pair.now_ms, out, sizeof(out)));) {
			out_bytes += n;
			answers++;
		}
		assert_true(out_bytes <= in_bytes);
		assert_true(enet_peer_next_deadline(host) > pair.now_ms);
		pair.now_ms += 400;
		if (i % 7 == 6) {
			assert_int_equal(enet_peer_receive(host, connect, len, pair.now_ms), 0);
			in_bytes += len;
		}
	}
	assert_int_equal(answers, 3); /* one for each CONNECT */
	struct enet_event event;
	pair.now_ms += 3000;
	assert_int_equal(enet_peer_transmit(host, pair.now_ms, out, sizeof(out)), 0);
	assert_true(enet_peer_next_event(host, &event));
	assert_int_equal(event.kind, ENET_EVENT_DISCONNECTED);
	assert_int_equal(event.end, ENET_END_TIMEOUT);
	pair_finish(&pair);
}

/* A packet that was lent but not given back belongs to the successor, too. */
static void a_packet_at_hand_is_delivered_again_by_the_successor(void **state) {
	(void)state;
	struct pair pair;
	struct run run;
	start(&pair, &run, 13, (struct pair_link){ .delay_ms = 1 });
	assert_true(pair_run(&pair, 10000, both_connected));
	uint8_t out[ENET_MTU];
	for (uint8_t i = 0; i < 2; i++) {
		assert_int_equal(enet_peer_send(pair.peers[0], 0, ENET_RELIABLE, &i, 1), 0);
	}
	size_t len = enet_peer_transmit(pair.peers[0], pair.now_ms, out, sizeof(out));
	assert_int_equal(enet_peer_receive(pair.peers[1], out, len, pair.now_ms), 0);
	struct enet_event event;
	for (unsigned i = 0; i < 3; i++) {
		assert_true(enet_peer_next_event(pair.peers[1], &event));
		assert_int_equal(event.bytes[0], 0);
		pair_succeed(&pair, 1);
	}
	assert_true(enet_peer_next_event(pair.peers[1], &event));
	assert_true(enet_peer_next_event(pair.peers[1], &event));
	assert_int_equal(event.bytes[0], 1);
	assert_false(enet_peer_next_event(pair.peers[1], &event));
	pair_finish(&pair);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(reliable_packets_arrive_in_order_on_a_clean_link),
		UNIT(reliable_packets_arrive_in_order_under_loss_twins_and_reordering),
		UNIT(fragmented_packets_arrive_whole_under_loss),
		UNIT(a_successor_at_every_step_loses_nothing),
		UNIT(sequences_wrap),
		UNIT(unreliable_packets_are_in_order_and_unsequenced_ones_come_once),
		UNIT(reliable_and_unreliable_share_a_channel_in_order),
		UNIT(later_disconnects_after_everything_arrived),
		UNIT(soon_and_now_disconnect),
		UNIT(a_goodbye_nobody_hears_ends_by_itself),
		UNIT(a_dead_peer_is_noticed_after_ten_seconds),
		UNIT(a_gap_of_eight_seconds_is_survived),
		UNIT(an_unanswered_connect_ends),
		UNIT(an_unproven_client_gets_no_more_bytes_than_it_sent),
		UNIT(a_packet_at_hand_is_delivered_again_by_the_successor),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
