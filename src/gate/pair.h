/* SPDX-License-Identifier: MIT */
#ifndef GATE_PAIR_H
#define GATE_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "gate/places.h"
#include "gate/request.h"
#include "ipc/message.h"
#include "proto/pairing.h"

/* Pairing at the Moonlight door. Phase 1 is a long poll that holds a connection and nothing
 * else; the PIN comes as a message. A pairing is known by (uniqueid, address), because
 * most clients send the same uniqueid, and each ends with PAIR_GONE. */

struct gate;
struct sd_event_source;

enum {
	PAIRS_MAX = 16,
	PAIRS_OF_ADDRESS_MAX = 2,
	PAIR_AFTER_PIN_MS = 20000, /* the client does the rest by itself */
	/* In PAIRS_BEGIN_MS; each is two messages to everybody. */
	PAIRS_BEGIN_MAX = 240,
	PAIRS_BEGIN_OF_SOURCE_MAX = 12, /* or one alone could keep all others from pairing */
	PAIRS_BEGIN_MS = 10000,
	PAIRS_SOURCES = 64,
};

struct pair {
	uint32_t number; /* 0: free */
	struct pairing pairing;
	char uniqueid[64];
	struct address address;
	uint8_t fingerprint[32];
	char name[64];
	uint32_t request; /* of the connection that waits for the PIN or the store */
	bool storing;
};

/* Who began to pair, in the window that began at since_ms. */
struct pair_source {
	struct source source;
	uint64_t since_ms;
	unsigned begins;
};

struct pairs {
	struct pair list[PAIRS_MAX];
	uint32_t numbers;
	uint64_t begins_since_ms;
	unsigned begins;
	struct pair_source sources[PAIRS_SOURCES];
	struct sd_event_source *timer; /* owned */
};

void pair_handle(struct request *request);
void pair_handle_challenge(struct request *request); /* phase 5, HTTPS */
void pair_handle_unpair(struct request *request);

void pair_handle_pin(struct gate *gate, const struct ipc_message *message);
void pair_handle_added(struct gate *gate, const struct ipc_message *message);

/* A connection of AWAITS_PIN or AWAITS_PAIR_STORE: late, or gone. */
void pair_handle_overdue(struct connection *connection);
void pair_handle_gone(struct connection *connection);

/* A supervisor that took over may not have passed on who waits for a PIN. */
void pairs_say_again(struct gate *gate);

/* The channel to the store is closed: what waits for it fails. */
void pairs_handle_store_lost(struct gate *gate);

void pairs_finish(struct pairs *pairs);

#endif
