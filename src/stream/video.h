/* SPDX-License-Identifier: MIT */
#ifndef STREAM_VIDEO_H
#define STREAM_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/pulse.h"
#include "ipc/ring.h"
#include "proto/video.h"
#include "stream/ages.h"
#include "stream/frames.h"
#include "stream/pacer.h"

struct source;

/* Pictures: from a source's ring to the video flow, one frame in hand at a time.
 * What is sent and as what is decided in frames.h, when in pace.h; this carries
 * the bytes. The next picture is looked at only when the last one has left, so
 * the ring is the queue: whoever is too slow is lapped or stale, and then a key
 * frame is asked for. */
enum {
	VIDEO_FEC_PERCENT = 20,
	VIDEO_STALE_MS = 300, /* a picture that waited longer in the ring is not sent */
	VIDEO_FULL_MS = 100,  /* how long a full socket is waited for */
};

struct video_counters {
	uint64_t frames, keys, recoveries; /* sent; recoveries: answers to invalidations */
	uint64_t lapped;                   /* times, also for being stale */
	uint64_t abandoned;                /* frames given up, in part or whole */
	uint64_t too_large;                /* frames that no client could take */
	uint64_t invalidations, key_asks;
	uint64_t recoveries_asked; /* those of both that the client's losses caused */
	uint64_t parity;           /* datagrams of FEC */
};

/* Where the time of new pictures went, summed: PULSE_STREAM_TIMED and below. */
struct video_stages {
	uint64_t count;
	uint64_t ns[PULSE_STAGES], hand_ns;
	uint64_t hand_classes[AGES_HAND_CLASSES];
	uint64_t classes[PULSE_STAGES][PULSE_STAGE_CLASSES];
};

struct stream_video {
	struct frames frames;
	struct video_sender sender; /* owned */
	struct pacer pacer;
	struct source *source; /* borrowed from the stream; NULL for none */
	bool ready;            /* the client may be sent pictures */
	bool client_lost;      /* the request that is due is the client's */

	/* the frame in hand */
	bool busy;
	struct ring_packet packet;
	struct video_frame frame;
	struct video_batch batch;
	unsigned block;         /* next one to write */
	uint64_t first_ns;      /* when its first datagram left, 0: none yet */
	uint64_t full_until_ns; /* the socket is full; 0: it is not */

	uint8_t *picture, *datagrams; /* owned, grow on demand */
	size_t picture_size, datagrams_size;

	uint32_t timestamp;       /* of the newest frame */
	uint64_t last_commit_ns;  /* of the newest frame's picture */
	uint64_t first_packet_ns; /* of the whole stream */
	struct ages age, hand;
	struct video_stages stages;
	struct video_counters counters;
};

/* What the carrier of the bytes is told by the stream around it. */
struct video_config {
	struct video_format format;
	const struct secret *key;       /* borrowed for the call */
	struct video_position position; /* where to go on, of this incarnation */
	uint32_t timestamp;             /* of the frame before */
	uint32_t ceiling_kbps, rate_x100;
};

int stream_video_init(struct stream_video *video, const struct video_config *config) NODISCARD;
void stream_video_finish(struct stream_video *video);

/* Pictures come from this source from now on, beginning with the key frame at
 * ring sequence `key`; 0: with the next one, which is asked for. Only between
 * two frames. */
void stream_video_set_source(
		struct stream_video *video, struct source *source, uint64_t key, bool invalidate);

/* Called between video_begin() and the first byte: what a successor must know. */
typedef void video_commit_fn(void *user);

/* Takes pictures from the ring and sends as much as the pace and the socket
 * allow; returns when to call again (ns), 0: when the socket is writable,
 * UINT64_MAX: when there is news. Stops between two frames when `pause`. */
uint64_t stream_video_run(
		struct stream_video *video, bool pause, video_commit_fn *commit, void *user);

/* The client lost frames; it asks for a key frame. */
void stream_video_lost(struct stream_video *video, uint32_t first, uint32_t last);
void stream_video_want_key(struct stream_video *video, uint64_t now_ns);

/* Sends the requests that are due; returns when to look again. */
uint64_t stream_video_ask(struct stream_video *video, uint64_t now_ns);

#endif
