/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_VIEWERS_H
#define DESKTOP_VIEWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "desktop/desktop.h"
#include "desktop/pad_keys.h"
#include "desktop/pads.h"
#include "ipc/channel.h"
#include "ipc/pulse.h"

/* Who may steer this desktop: one input channel per viewer, from its stream. */
enum {
	VIEWERS_MAX = 256,     /* as many as sessions */
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
	uint32_t width, height; /* of what it sees; 0: as the desktop */
	struct pads pads;
	struct pad_keys keys; /* where pads are keys */
};

struct viewers {
	struct desktop *desktop; /* borrowed */
	struct sd_event *event;  /* borrowed */
	struct pulse *pulse;     /* borrowed */
	uint32_t width, height;  /* of the desktop */
	struct pads_home pads;   /* its ask is the caller's to set */
	bool pad_keys;           /* pads are keys here, and become no devices */
	struct viewer list[VIEWERS_MAX];
};

void viewers_init(struct viewers *viewers, struct desktop *desktop, struct sd_event *event,
		struct pulse *pulse);
void viewers_finish(struct viewers *viewers);

/* Takes channel_fd. A viewer that is known gets a new channel (its stream was
 * replaced) and goes on with what was applied; what still lay in the old one is read first. -ENOSPC
 * for too many. */
int viewers_add(struct viewers *viewers, uint32_t id, bool may_input, int channel_fd) NODISCARD;

/* What it sees is of this size, with borders where the shape differs (media/scale.h). */
void viewers_set_size(struct viewers *viewers, uint32_t id, uint32_t width, uint32_t height);

/* What is still held is released. */
void viewers_set_input(struct viewers *viewers, uint32_t id, bool may_input);

/* PAD_DEVICE and PAD_DEVICE_NONE: what a pad asked for. */
void viewers_device(
		struct viewers *viewers, const struct ipc_message *message, struct ipc_fds *fds);

void viewers_remove(struct viewers *viewers, uint32_t id);

#endif
