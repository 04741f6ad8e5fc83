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
	/* The desktop says something of a gamepad. */
	void (*pad)(struct source *source, const struct ipc_message *message, void *user);
};

/* One encoder's ring with what belongs to it. */
struct source_part {
	struct ring_reader ring;
	int event_fd;               /* owned */
	struct sd_event_source *io; /* owned */
	struct channel requests;
};

struct source {
	uint32_t id;
	bool reference_invalidation;
	struct source_part *pictures, *sound; /* owned */
	struct channel input;
	const struct source_events *events;
	void *user;           /* borrowed */
	uint64_t inputs_lost; /* the desktop was gone or did not drain */
};

/* Takes from fds what it needs, also on failure: a ring that cannot be mapped
 * (-EPROTO) means an encoder that lies. */
int source_create(struct sd_event *event, const struct ipc_message *message, struct ipc_fds *fds,
		const struct source_events *events, void *user, struct source **out) NODISCARD;

/* STREAM_PICTURES and STREAM_SOUND: another encoder's ring, eventfd and requests
 * take the place of the ones before. Failures as above; nothing changes then. */
int source_replace_pictures(struct source *source, struct sd_event *event,
		const struct ipc_message *message, struct ipc_fds *fds) NODISCARD;
int source_replace_sound(
		struct source *source, struct sd_event *event, struct ipc_fds *fds) NODISCARD;

/* Accepts NULL. */
void source_destroy(struct source *source);

/* Asks the picture encoder; a gone encoder is noticed by the supervisor. */
void source_ask_key(struct source *source, uint32_t why);
void source_invalidate(struct source *source, uint64_t first, uint64_t last);

/* To the desktop. */
void source_input(struct source *source, const struct ipc_message *message);

/* Sets the picture ring's next to the newest key frame from `from` on, however old, or
 * behind the newest packet when there is none: false then. */
bool source_seek_key(struct source *source, uint64_t from);

/* The newest key frame that was encoded at `since_ns` or later: its sequence, 0
 * for none. Does not move. */
uint64_t source_fresh_key(const struct source *source, uint64_t since_ns);

OWN_DEFINE(struct source *, source_destroy)

#endif
