/* SPDX-License-Identifier: MIT */
#ifndef STREAM_STREAM_H
#define STREAM_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "base/shm.h"
#include "ipc/worker.h"
#include "stream/ages.h"
#include "stream/audio.h"
#include "stream/combo.h"
#include "stream/control.h"
#include "stream/flows.h"
#include "stream/likes.h"
#include "stream/pads.h"
#include "stream/source.h"
#include "stream/switching.h"
#include "stream/takeover.h"
#include "stream/video.h"

/* perigee-stream: one Moonlight viewer. It parses what the viewer sends on three
 * connected UDP sockets and sends it encoded pictures and sound; it touches no
 * codec, GPU or file, waits for nobody and holds the session's key, which is why
 * struct stream lies in pages that are left out of core dumps.
 *
 * One loop, one thread. Handlers change state; stream_settle(), after each of
 * them, lets the parts act on it and arms the timers. */
enum {
	STREAM_PATIENCE_MS = 500,   /* pictures wait so long for the control stream */
	STREAM_SOUND_MOVE_MS = 100, /* an old source's group is waited for so long */
	STREAM_STATS_MS = 1000,
	STREAM_CONTROL_BATCH = 16, /* datagrams committed and sent together */
};

/* Times of stream_settle(). */
enum stream_timer {
	STREAM_TIMER_EXACT,  /* pacing: the next burst */
	STREAM_TIMER_SOUND,  /* silence: the next packet */
	STREAM_TIMER_COARSE, /* every deadline of milliseconds */
	STREAM_TIMER_STATS,
	STREAM_TIMERS,
};

struct stream {
	struct worker worker;
	struct secret key;
	struct ipc_stream_params params;
	char trace[20];
	bool have_start;
	bool succeeds;     /* a predecessor wrote the page */
	bool ending;       /* goodbye was said */
	bool left;         /* STOPPED was told */
	bool lost;         /* STREAM_LOST was told */
	bool first_told;   /* STREAM_FIRST */
	bool source_told;  /* SOURCE_ACTIVE of the source that plays */
	uint32_t end_code; /* of 0x0109 */

	struct shm page; /* owned: the takeover page */
	struct takeover takeover;

	struct flow flows[FLOWS];
	uint64_t video_flow_ns; /* when it came */
	struct stream_control control;
	struct stream_video video;
	struct stream_audio audio;

	struct source *playing; /* owned: pictures and input */
	struct source *sound;   /* owned unless it is `playing`: where sound still comes from */
	struct source *next;    /* owned: waits for its key */
	struct switching switching;
	uint64_t sound_until_ns; /* when sound moves at the latest */

	struct sd_event_source *timers[STREAM_TIMERS]; /* owned */
	uint64_t armed_us[STREAM_TIMERS];              /* UINT64_MAX: off */

	struct likes likes;
	struct combo combo;
	struct pads pads;
	uint64_t inputs, inputs_skipped;
	uint64_t inputs_denied;         /* the client may not send that kind */
	uint64_t missing, idr_requests; /* missing: packets, by the client's reports */
	uint64_t losses_reported;
	struct {
		uint64_t packets, missing;
		struct ipc_message message; /* the newest STREAM_STATS */
	} told;
};

/* A stream in pages of its own; NULL without memory. */
struct stream *stream_create(void);

/* Releases everything but the worker's frame, and wipes the key. */
void stream_destroy(struct stream *stream);

extern const struct worker_class stream_class;

/* Lets every part act on what has happened, and arms the timers. */
void stream_settle(struct stream *stream);

/* stream_act.c: what the client asks for. */
extern const struct stream_control_events stream_control_events;

/* stream_source.c: which source plays. Both are called between events. */
void stream_source_offer(
		struct stream *stream, const struct ipc_message *message, struct ipc_fds *fds);
void stream_source_replace(
		struct stream *stream, const struct ipc_message *message, struct ipc_fds *fds);
bool stream_source_move_pictures(struct stream *stream, uint64_t now_ns);
void stream_source_move_sound(struct stream *stream, uint64_t now_ns);
void stream_source_release_input(struct stream *stream);
/* What is said of pads goes to the desktop that the viewer sees. */
struct pads_hearer stream_source_hearer(struct stream *stream);
bool stream_source_waits(const struct stream *stream);

/* stream_adopt.c: a successor goes on where the page says. -EPROTO for a page of a
 * later incarnation. */
int stream_adopt_page(struct stream *stream, int fd, uint32_t incarnation) NODISCARD;
int stream_adopt_control(struct stream *stream, uint64_t now_ms) NODISCARD;

/* The page names where this flow went, and its socket has not come yet: only that
 * one is waited for. */
bool stream_waits_for_flow(const struct stream *stream, const struct flow *flow);

/* True when it is that one; needs no proof, the one before had it. */
bool stream_adopt_flow(struct stream *stream, struct flow *flow, const struct address *peer,
		uint64_t now_ns);

/* stream_report.c: counters to supervisor, pulse and log. */
void stream_report_second(struct stream *stream);
void stream_report_end(struct stream *stream);

/* Commits the takeover page: after numbers were taken, before bytes leave. */
void stream_commit(struct stream *stream);

#endif
