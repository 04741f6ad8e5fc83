/* SPDX-License-Identifier: MIT */
#ifndef GATE_EVENTS_H
#define GATE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gate/request.h"

/* What happened, told to programs as server-sent events (HTML Living Standard 9.2). The
 * newest are kept in a ring, so that a reader that comes back with Last-Event-ID misses
 * nothing that is still there, and is told when something is not. Readers look at the ring at
 * their own pace; who is overtaken by it is let go with the reason, and nobody waits for them. */

struct connection;
struct gate;
struct json_t;

enum {
	EVENTS_KEPT = 1024,
	EVENTS_BYTES_MAX = 1 << 20, /* of them together */
	EVENT_READERS_MAX = 64,
	EVENT_FILTERS_MAX = 16,
	EVENT_LOBBY_SIZE = 40,
};

/* Each has a name that clients match on: Wolf's, where Wolf has it. */
enum event_kind {
	EVENT_PAIR,
	EVENT_SESSION,
	EVENT_PAUSED,
	EVENT_RESUMED,
	EVENT_STOPPED,
	EVENT_VIDEO,
	EVENT_AUDIO,
	EVENT_KEY_FRAME,
	EVENT_VIDEO_PING,
	EVENT_AUDIO_PING,
	EVENT_RUNNER,
	EVENT_COMBO,
	EVENT_SWITCHED,
	EVENT_PAD_PLUGGED,
	EVENT_PAD_UNPLUGGED,
	EVENT_LOBBY_CREATED,
	EVENT_LOBBY_JOINED,
	EVENT_LOBBY_LEFT,
	EVENT_LOBBY_STOPPED,
	EVENT_LOBBY_ENDED, /* why it was stopped */
	EVENT_LOBBY_ROLE,
	EVENT_LOBBY_PAUSED,
	EVENT_LOBBY_RESUMED,
	EVENT_JOIN_FAILED,
	EVENT_PULL_START,
	EVENT_PULL_END,
	EVENT_APP_EXITED,
	EVENT_INCIDENT,
	EVENT_HEALTH,
	EVENT_CLIENT_PAIRED,
	EVENT_CLIENT_UNPAIRED,
	EVENT_MISSED,  /* to one reader: events may be missing here */
	EVENT_DROPPED, /* to one reader: its stream ends, and why */
	EVENT_KINDS,
};

const char *event_name(enum event_kind kind);

struct event {
	enum event_kind kind;
	uint64_t session; /* 0: of none */
	char lobby[EVENT_LOBBY_SIZE];
	char *text; /* owned: as it is sent */
	size_t len;
};

struct event_reader;

struct events {
	struct event ring[EVENTS_KEPT]; /* by number */
	uint64_t first, next;           /* numbers of the oldest kept, and of the next to come */
	size_t bytes;
	char epoch[9];                /* of this door: ids of another's mean nothing here */
	struct event_reader *readers; /* owned list */
	unsigned readers_count;
	uint64_t dropped; /* readers that were too slow, ever */
};

void events_init(struct events *events);
void events_finish(struct events *events);

/* Takes data (an object; NULL: nothing happens) and tells all readers. */
void events_tell(struct gate *gate, enum event_kind kind, uint64_t session, const char *lobby,
		struct json_t *data);

/* GET /api/v1/events */
void events_handle(struct request *request);

/* For the connection's class. */
bool events_more(struct connection *connection);
void events_handle_quiet(struct connection *connection);
void events_handle_gone(struct connection *connection);

#endif
