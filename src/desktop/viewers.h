/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_VIEWERS_H
#define DESKTOP_VIEWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "desktop/desktop.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"

/* Who may steer this desktop: one input channel per viewer, from its stream. */
enum {
	VIEWERS_MAX = 32,
	VIEWERS_WINDOW = 1024, /* inputs remembered: more than a client may have under way */
};

struct viewers;

struct viewer {
	struct viewers *viewers;
	struct channel channel;
	uint32_t id;
	/* Which inputs were applied: the newest, and a bit for each before it, by
	 * number modulo the window. A stream's successor repeats what the client
	 * repeats. */
	uint64_t newest;
	uint64_t applied[VIEWERS_WINDOW / 64];
	bool used, may_input;
};

struct viewers {
	struct desktop *desktop; /* borrowed */
	struct sd_event *event;  /* borrowed */
	struct pulse *pulse;     /* borrowed */
	struct viewer list[VIEWERS_MAX];
};

void viewers_init(struct viewers *viewers, struct desktop *desktop, struct sd_event *event,
		struct pulse *pulse);
void viewers_finish(struct viewers *viewers);

/* Takes channel_fd. A viewer that is known gets a new channel (its stream was
 * replaced) and goes on with what was applied; what still lay in the old one is read first. -ENOSPC
 * for too many. */
int viewers_add(struct viewers *viewers, uint32_t id, bool may_input, int channel_fd) NODISCARD;
void viewers_remove(struct viewers *viewers, uint32_t id);

#endif
