/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_SOUND_H
#define ENCODER_SOUND_H

#include <stdbool.h>

#include "encoder/readers.h"
#include "ipc/ring.h"
#include "ipc/worker.h"
#include "media/opus.h"

struct capture;

/* One sound encoding: what the desktop plays, cut into Opus packets and put into
 * the ring. After a second of digital silence, without a server, or for a
 * newcomer in the middle of it there is one packet of silence, which the streams
 * repeat on their own clocks until sound comes again. */

enum {
	SOUND_QUIET_MS = 1000,
	SOUND_BACKLOG_MS = 100, /* more than this at once is old: it is skipped */
	SOUND_FRAME_MAX = SOUND_RATE_HZ / 100 * SOUND_CHANNELS_MAX,
};

struct sound_work {
	struct worker *worker;    /* borrowed */
	struct readers *readers;  /* borrowed */
	struct ring_writer *ring; /* borrowed */
	struct sound_format format;
	struct sound_encoder *encoder; /* owned */
	struct capture *capture;       /* owned */
	int16_t frame[SOUND_FRAME_MAX];
	size_t filled;     /* samples of each channel in frame */
	bool silent;       /* the newest packet is one of silence */
	unsigned quiet_ms; /* digital silence so far */
	uint64_t samples;  /* of each channel, encoded so far */
	uint64_t lost, skipped;
};

/* On failure the worker ends with a reason. Lives as long as its process. */
void sound_start(struct sound_work *work, struct worker *worker, struct readers *readers,
		struct ring_writer *ring, const struct ipc_message *message);

void sound_reader_joined(struct sound_work *work);
void sound_reader_left(struct sound_work *work);

#endif
