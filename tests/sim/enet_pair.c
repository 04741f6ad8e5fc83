/* SPDX-License-Identifier: MIT */
#include "enet_pair.h"

#include "../unit/unit.h"

enum {
	START_MS = 100000,
};

unsigned pair_random(struct pair *pair, unsigned limit) {
	/* splitmix64 */
	uint64_t z = pair->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (unsigned)((z ^ z >> 31) >> 33) % limit;
}

static bool chance(struct pair *pair, unsigned percent) {
	return pair_random(pair, 100) < percent;
}

void pair_init(struct pair *pair, uint64_t seed, struct pair_link link, uint32_t data) {
	*pair = (struct pair){ .now_ms = START_MS, .random = seed, .link = link };
	for (int i = 0; i < 2; i++) {
		pair->peers[i] = calloc(1, sizeof(struct enet_peer));
		assert_non_null(pair->peers[i]);
	}
	pair->flights = calloc(PAIR_FLIGHT_MAX, sizeof(*pair->flights));
	assert_non_null(pair->flights);
	struct enet_client_config config = {
		.local_id = 5,
		.channels = 48,
		.data = data,
		.connect_id = (uint32_t)seed ^ 0x12345678,
	};
	assert_int_equal(enet_peer_init_client(pair->peers[PAIR_CLIENT], &config, pair->now_ms), 0);
	pair->is_up[PAIR_CLIENT] = true;
}

void pair_finish(struct pair *pair) {
	free(pair->peers[0]);
	free(pair->peers[1]);
	free(pair->flights);
}

void pair_succeed(struct pair *pair, int who) {
	uint8_t *saved = malloc(ENET_SAVE_MAX), *again = malloc(ENET_SAVE_MAX);
	struct enet_peer *next = malloc(sizeof(*next));
	assert_true(saved && again && next);
	memset(next, 0xa5, sizeof(*next));

	struct writer w = writer_over(saved, ENET_SAVE_MAX);
	assert_int_equal(enet_peer_save(pair->peers[who], &w), 0);
	size_t len = ENET_SAVE_MAX - w.left;
	struct reader r = reader_over(saved, len);
	assert_int_equal(enet_peer_load(next, &r), 0);
	assert_true(reader_done(&r));
	w = writer_over(again, ENET_SAVE_MAX);
	assert_int_equal(enet_peer_save(next, &w), 0);
	assert_int_equal(ENET_SAVE_MAX - w.left, len);
	assert_memory_equal(saved, again, len);
	free(saved);
	free(again);

	next->counters = pair->peers[who]->counters;
	free(pair->peers[who]);
	pair->peers[who] = next;
}

static void step_done(struct pair *pair, int who) {
	if (pair->successors) {
		pair_succeed(pair, who);
	}
}

static void put_in_flight(struct pair *pair, int to, const uint8_t *bytes, size_t len) {
	assert_true(pair->flight_count < PAIR_FLIGHT_MAX);
	struct pair_flight *flight = &pair->flights[pair->flight_count++];
	unsigned jitter = pair->link.jitter_ms ? pair_random(pair, pair->link.jitter_ms) : 0;
	flight->due_ms = pair->now_ms + pair->link.delay_ms + jitter;
	flight->order = pair->order++;
	flight->to = to;
	flight->len = len;
	memcpy(flight->bytes, bytes, len);
}

static void transmit(struct pair *pair, int who) {
	uint8_t buf[ENET_MTU];
	size_t len;
	unsigned count = 0;
	while ((len = enet_peer_transmit(pair->peers[who], pair->now_ms, buf, sizeof(buf)))) {
		step_done(pair, who);
		assert_true(len <= pair->peers[who]->mtu);
		assert_true(count++ < ENET_OUT_MAX + ENET_ACKS_MAX); /* it comes to an end */
		pair->bytes_out[who] += len;
		pair->transmits++;
		if (!chance(pair, pair->link.loss)) {
			put_in_flight(pair, !who, buf, len);
		}
		if (chance(pair, pair->link.twice)) {
			put_in_flight(pair, !who, buf, len);
		}
	}
	step_done(pair, who);
	/* Otherwise the caller's loop would spin. */
	assert_true(enet_peer_next_deadline(pair->peers[who]) > pair->now_ms);
}

static void take_events(struct pair *pair, int who) {
	struct enet_event event;
	while (enet_peer_next_event(pair->peers[who], &event)) {
		if (pair->on_event) {
			pair->on_event(pair, who, &event);
		}
	}
	step_done(pair, who);
}

static void deliver(struct pair *pair, const struct pair_flight *flight) {
	int to = flight->to;
	/* Exactly as long as the datagram, so that ASan sees one byte too far. */
	uint8_t *exact = malloc(flight->len);
	assert_non_null(exact);
	memcpy(exact, flight->bytes, flight->len);
	if (!pair->is_up[to]) {
		struct enet_connect connect;
		if (enet_connect_peek(exact, flight->len, &connect) == 0) {
			assert_int_equal(enet_peer_accept(pair->peers[to], exact, flight->len, 77,
							 pair->now_ms),
					0);
			pair->is_up[to] = true;
		}
	} else {
		enet_peer_receive(pair->peers[to], exact, flight->len, pair->now_ms);
	}
	free(exact);
	step_done(pair, to);
	take_events(pair, to);
}

/* The next thing that happens: the flight's index, or -1 for a timer at *out_ms. */
static int next_happening(const struct pair *pair, uint64_t *out_ms) {
	uint64_t first = UINT64_MAX, order = UINT64_MAX;
	int index = -1;
	for (int i = 0; i < 2; i++) {
		uint64_t due = pair->is_up[i] ? enet_peer_next_deadline(pair->peers[i])
					      : UINT64_MAX;
		first = due < first ? due : first;
	}
	for (size_t i = 0; i < pair->flight_count; i++) {
		const struct pair_flight *flight = &pair->flights[i];
		if (flight->due_ms < first || (flight->due_ms == first && flight->order < order)) {
			first = flight->due_ms;
			order = flight->order;
			index = (int)i;
		}
	}
	*out_ms = first;
	return index;
}

bool pair_run(struct pair *pair, uint64_t for_ms, bool (*done)(struct pair *pair)) {
	uint64_t end = pair->now_ms + for_ms;
	for (;;) {
		for (int i = 0; i < 2; i++) {
			if (pair->is_up[i]) {
				transmit(pair, i);
				take_events(pair, i);
			}
		}
		if (done && done(pair)) {
			return true;
		}
		uint64_t at;
		int index = next_happening(pair, &at);
		if (at > end) {
			pair->now_ms = end;
			return false;
		}
		pair->now_ms = at > pair->now_ms ? at : pair->now_ms;
		if (index >= 0) {
			struct pair_flight flight = pair->flights[index];
			pair->flights[index] = pair->flights[--pair->flight_count];
			if (!pair->cut) {
				deliver(pair, &flight);
			}
		}
	}
}
