/* SPDX-License-Identifier: MIT */
#ifndef STREAM_SOURCE_H
#define STREAM_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/channel.h"
#include "ipc/ring.h"

struct sd_event;
struct sd_event_source;

/* Where pictures and sound come from and input goes to: two rings with their
 * eventfds and request channels, and a desktop's input channel. */
enum {
	SOURCE_FRESH_MS = 100, /* a key frame so young is begun with */
	SOURCE_FDS = 7,
};

struct source;

struct source_events {
	void (*pictures)(struct source *source, void *user); /* the ring has news */
	void (*sound)(struct source *source, void *user);
};

struct source {
	uint32_t id;
	bool reference_invalidation;
	struct ring_reader pictures, sound;
	int pictures_fd, sound_fd;                      /* owned: eventfds */
	struct sd_event_source *pictures_io, *sound_io; /* owned */
	struct channel picture_requests, sound_requests, input;
	const struct source_events *events;
	void *user;           /* borrowed */
	uint64_t inputs_lost; /* the desktop was gone or did not drain */
};

/* Takes from fds what it needs, also on failure: a ring that cannot be mapped
 * (-EPROTO) means an encoder that lies. */
int source_create(struct sd_event *event, const struct ipc_message *message, struct ipc_fds *fds,
		const struct source_events *events, void *user, struct source **out) NODISCARD;

/* Accepts NULL. */
void source_destroy(struct source *source);

/* Asks the picture encoder; a gone encoder is noticed by the supervisor. */
void source_ask_key(struct source *source, uint32_t why);
void source_invalidate(struct source *source, uint64_t first, uint64_t last);

/* To the desktop. */
void source_input(struct source *source, const struct ipc_message *message);

/* Sets pictures.next to the newest key frame from `from` on, however old, or
 * behind the newest packet when there is none: false then. */
bool source_seek_key(struct source *source, uint64_t from);

/* The newest key frame that was encoded at `since_ns` or later: its sequence, 0
 * for none. Does not move. */
uint64_t source_fresh_key(const struct source *source, uint64_t since_ns);

OWN_DEFINE(struct source *, source_destroy)

#endif
