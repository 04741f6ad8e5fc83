/* SPDX-License-Identifier: MIT */
#ifndef STORE_STORE_INSIDE_H
#define STORE_STORE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/worker.h"
#include "store/database.h"

struct sd_event_source;

/* What perigee-store's own files share. */

enum {
	PEERS_MAX = 16,
	LISTING_QUEUE_MAX = 64, /* messages that may wait while rows are listed */
	GUESSED_MAX = 16,       /* profiles whose wrong PINs are counted */
	OPEN_MS = 10000,        /* the key is made, the whole file is checked */
	READ_MS = 2000,
	WRITE_MS = 4000, /* two syncs on a slow disk */
};

/* Who is told all rows, and how far that has come. */
enum listing_at {
	LISTING_CLIENTS,
	LISTING_PROFILES,
	LISTING_APPS,
	LISTING_TOKENS,
	LISTING_END,
	LISTING_DONE,
};

struct listing {
	enum listing_at at;
	bool any;           /* something of this table was sent: */
	uint8_t client[32]; /* the newest one's name */
	char profile[48];
	int32_t app;
	uint8_t token[32];
	bool half; /* the client was sent, its settings not yet */
};

struct peer {
	struct channel channel;
	struct store *store; /* borrowed */
	struct listing listing;
};

/* Wrong PINs of a profile. */
struct guessed {
	char profile[48];
	unsigned wrong;
	uint64_t until_ms; /* none is heard before; 0: not locked */
};

struct store {
	struct worker worker;
	struct database *database;    /* owned */
	struct sd_event_source *post; /* owned */
	struct peer peers[PEERS_MAX];
	struct peer supervisor; /* whose requests nobody waits for; its channel is closed */
	struct listing listing; /* to the supervisor */
	struct guessed guessed[GUESSED_MAX];
	unsigned next_guessed;
	struct database_client scratch; /* too large for the stack of a handler */
};

void store_begin(struct store *store, uint32_t limit_ms);
void store_end(struct store *store);

/* To every peer but this one (NULL: to all) that hears that kind. */
void store_tell_peers(
		struct store *store, const struct peer *but, const struct ipc_message *message);

/* The settings of a client, to everybody. */
void store_tell_settings(struct store *store, const uint8_t *fingerprint);

/* Requests for what is kept beyond paired clients. False for another message. */
bool store_handle_state(struct peer *peer, struct ipc_message *message);

/* CLIENT, as a door is told of one. */
void store_client_message(const struct database_client *client, struct ipc_message *out);

/* Lists rows to whoever is not done, as fast as they take it. */
void store_list(struct store *store);

#endif
