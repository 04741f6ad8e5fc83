/* SPDX-License-Identifier: MIT */
#ifndef GATE_GATE_H
#define GATE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/apps.h"
#include "gate/clients.h"
#include "gate/connection.h"
#include "gate/datagrams.h"
#include "gate/pair.h"
#include "gate/request.h"
#include "gate/sessions.h"
#include "gate/store_line.h"
#include "gate/web.h"
#include "ipc/board.h"
#include "ipc/channel.h"
#include "ipc/message.h"
#include "ipc/worker.h"
#include "proto/pairing_identity.h"

/* One door of the host: it reads what strangers send, decides whether they are known, posts
 * a message to who acts, and carries the answer back. It never touches media, never
 * does file I/O in its loop, never waits: all that it needs to know is in here. */

enum {
	GATE_LAUNCH_MS = 30000,
	GATE_STORE_MS = 5000,
	GATE_ANNOUNCE_MS = 10000,
	GATE_STATUS_MS = 5000,
};

/* What a connection's answer waits for: connection->awaits. */
enum gate_awaits {
	AWAITS_NOTHING,
	AWAITS_PIN,        /* a person types it */
	AWAITS_PAIR_STORE, /* CLIENT_ADDED */
	AWAITS_LAUNCHED,
	AWAITS_CANCELLED,
	AWAITS_ANNOUNCED,
	AWAITS_PAIR_ANSWER,   /* web: PAIR_ANSWER, then PAIR_GONE */
	AWAITS_REMOVED,       /* web: CLIENT_REMOVED */
	AWAITS_STATUS,        /* web: STATUS_END */
	AWAITS_RESTARTED,     /* web: RESTARTED */
	AWAITS_STATE,         /* web: STATE_DONE */
	AWAITS_PROFILE,       /* web: STATE_DONE, of a profile's PIN */
	AWAITS_DONE,          /* web: API_DONE */
	AWAITS_ADDED,         /* web: LAUNCHED */
	AWAITS_IMAGE,         /* web: IMAGE_PIECE, IMAGE_DONE; then an endless answer */
	AWAITS_INPUT,         /* web: API_INPUT */
	AWAITS_KEYS,          /* web: KEYS, what was held */
	AWAITS_KEYS_LIST,     /* web: KEYS of every desktop */
	AWAITS_SHOT,          /* web: SHOT */
	AWAITS_CLIP,          /* web: CLIP, or API_DONE */
	AWAITS_LOBBY_CREATED, /* web: LOBBY_CREATED */
	AWAITS_LOBBY_DONE,    /* web: LOBBY_DONE */
	AWAITS_EVENTS,        /* web: an endless answer */
	AWAITS_UPGRADE,       /* web: UPGRADE_ANSWER */
	AWAITS_RELOADED,      /* web: CONFIG_RELOADED */
	AWAITS_OBEYED,        /* web, in a build for tests: OBEYED */
	GATE_AWAITS,
};

struct gate {
	struct worker worker;
	enum ipc_peer role;              /* PEER_GATE or PEER_WEB */
	const struct request_site *site; /* of the role */
	struct channel store;
	struct store_line store_line; /* asked and not answered */
	bool has_identity, has_options, has_clients, ready;
	__typeof__(((struct ipc_message *)NULL)->gate_options) options;
	__typeof__(((struct ipc_message *)NULL)->gate_codecs) codecs;
	struct ssl_ctx_st *tls;           /* owned */
	struct pairing_identity identity; /* owned */
	char host_id[40];
	char web_key[36]; /* secret */
	struct clients clients;
	struct apps apps;
	struct sessions sessions;
	struct pairs pairs;
	struct datagrams datagrams;
	struct web web;
	bool has_guest;
	uint8_t guest[32];         /* the supervisor's own client, the newest */
	struct board_reader board; /* web: what the supervisor says of our health */
	struct connections connections;
};

/* The frame of both roles: messages, readiness. */
int gate_init(struct gate *gate, enum ipc_peer role) NODISCARD;
void gate_finish(struct gate *gate);

/* To the supervisor. */
void gate_post(struct gate *gate, const struct ipc_message *message);
/* To the store, and to the next one if it dies before it answers. False when too much
 * waits for it already. */
bool gate_post_store(struct gate *gate, const struct ipc_message *message);

/* Opens the doors, and says so, once all is known that answers need. */
void gate_check_ready(struct gate *gate);

/* The connection that the request named, if it still waits for just that. */
struct connection *gate_waiting(struct gate *gate, uint32_t request, enum gate_awaits awaits);

/* For the connection classes of HTTP and RTSP: what to do about a wait that is overdue or
 * whose client is gone. */
void gate_overdue(struct connection *connection);
void gate_gone(struct connection *connection);

#endif
