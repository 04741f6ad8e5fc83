/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SIM_ENET_PAIR_H
#define TESTS_SIM_ENET_PAIR_H

#include "proto/enet.h"

/* Two engines and the network between them, on a clock that moves from event to
 * event. The same seed gives the same run. */

enum {
	PAIR_FLIGHT_MAX = 4096,
	PAIR_CLIENT = 0,
	PAIR_HOST = 1,
};

/* What happens to a datagram; chances in percent. */
struct pair_link {
	unsigned loss, twice;
	unsigned delay_ms, jitter_ms; /* jitter reorders */
};

struct pair_flight {
	uint64_t due_ms;
	uint64_t order;
	int to;
	size_t len;
	uint8_t bytes[ENET_MTU];
};

struct pair {
	uint64_t now_ms, order, random;
	struct pair_link link;
	bool cut; /* nothing arrives any more */
	/* After every step of an engine it is saved and goes on from its copy. */
	bool successors;
	struct enet_peer *peers[2]; /* owned */
	bool is_up[2];              /* the host's is, once a CONNECT came */
	uint64_t bytes_out[2], transmits;
	size_t flight_count;
	struct pair_flight *flights; /* owned */
	/* Each event is handed here; peer 0 is the client. */
	void (*on_event)(struct pair *pair, int who, const struct enet_event *event);
	void *context; /* the test's */
};

/* Both made, the client connecting with 48 channels and the given data. */
void pair_init(struct pair *pair, uint64_t seed, struct pair_link link, uint32_t data);
void pair_finish(struct pair *pair);

/* Lets the time pass until the deadline or until done() says so; true when it did. */
bool pair_run(struct pair *pair, uint64_t for_ms, bool (*done)(struct pair *pair));

/* A number below limit. */
unsigned pair_random(struct pair *pair, unsigned limit);

/* Saves the engine and loads it into a fresh one; checks that both are the same. */
void pair_succeed(struct pair *pair, int who);

#endif
