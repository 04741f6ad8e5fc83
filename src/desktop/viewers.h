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
};

struct viewers;

struct viewer {
	struct viewers *viewers;
	struct channel channel;
	uint32_t id;
	uint64_t sequence; /* newest applied: what is not newer was applied already */
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
 * replaced) and goes on at its sequence. -ENOSPC for too many. */
int viewers_add(struct viewers *viewers, uint32_t id, bool may_input, int channel_fd) NODISCARD;
void viewers_remove(struct viewers *viewers, uint32_t id);

#endif
