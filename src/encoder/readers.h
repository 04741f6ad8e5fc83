/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_READERS_H
#define ENCODER_READERS_H

#include <stdint.h>

#include "base/own.h"
#include "ipc/channel.h"

/* Who reads the ring: for each an eventfd to wake it and a channel by which it
 * asks. A reader whose channel closes or who breaks the rules is removed; it
 * can neither slow nor stop the others. */

enum {
	READERS_MAX = 256, /* as many as sessions */
};

struct readers;

struct readers_events {
	void (*request)(void *user, const struct ipc_message *message);
	void (*joined)(void *user);
	void (*left)(void *user);
};

struct reader {
	struct readers *owner; /* borrowed; NULL for a free place */
	uint32_t id;
	int wake; /* owned eventfd */
	struct channel requests;
};

struct readers {
	struct sd_event *event; /* borrowed */
	const struct readers_events *events;
	void *user;
	unsigned count;
	struct reader reader[READERS_MAX];
};

void readers_init(struct readers *readers, struct sd_event *event,
		const struct readers_events *events, void *user);

/* Takes both descriptors, also on failure. One with the same id is replaced. */
int readers_add(struct readers *readers, uint32_t id, int wake, int requests) NODISCARD;
void readers_remove(struct readers *readers, uint32_t id);

/* A packet is in the ring. */
void readers_wake(struct readers *readers);

#endif
