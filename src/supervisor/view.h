/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VIEW_H
#define SUPERVISOR_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shm.h"
#include "ipc/message.h"
#include "ipc/reason.h"
#include "supervisor/child.h"
#include "supervisor/restarts.h"

struct session;
struct view;

enum {
	VIEW_STREAM_GRACE_MS = 700, /* the client is told the end in this time */
	VIEW_ENCODER_GRACE_MS = 300,
};

enum view_part {
	VIEW_PICTURES, /* the picture encoder */
	VIEW_SOUND,    /* the sound encoder */
	VIEW_STREAM,
	VIEW_PARTS,
	VIEW_RINGS = VIEW_STREAM,
};

/* One of a view's processes, or its place while it is being replaced. */
struct view_worker {
	struct view *view;             /* borrowed */
	struct child *child;           /* NULL while down */
	struct sd_event_source *retry; /* owned: when the next is started */
	struct restarts restarts;
	uint64_t down_ms; /* since when it is missed; 0: it serves */
};

/* A socket that the gate made for a flow, with the datagram that it came for. */
struct view_offer {
	int fd; /* owned; -1: none */
	struct address peer;
	uint32_t counter;
	uint16_t datagram_len;
	uint8_t datagram[1500];
};

enum {
	VIEW_OFFERS_MAX = 5,
};

/* A flow's sockets, for the stream and its successors. The stream answers every
 * offer, in order; what it has taken is kept for the next one, which is offered
 * that first. */
struct view_flow {
	struct view_offer taken;
	struct view_offer offers[VIEW_OFFERS_MAX]; /* unanswered, oldest first */
	unsigned count;
};

/* What exists only while somebody watches: one stream process, one picture and
 * one sound encoder, and what connects them. The processes are spawned when the
 * client launches and get their orders when it has announced, so that linking
 * and loading are over by then. One that dies gets a successor, which the client
 * does not notice but as a gap: succeed.c. */
struct view {
	struct session *session; /* borrowed */
	uint32_t id;             /* machine-unique: viewer and reader id */
	uint32_t source;         /* number of what the stream reads from */
	uint32_t encoder;        /* the picture encoder's towards the desktop */
	uint32_t incarnation;    /* of the stream */
	struct view_worker worker[VIEW_PARTS];
	struct ipc_stream_params params;
	struct shm page;               /* the takeover page */
	int ring_fd[VIEW_RINGS];       /* owned, -1 until READY */
	bool invalidation;             /* the picture encoder can */
	char kind[32];                 /* the picture encoder's, "" until READY */
	uint32_t kinds_failed;         /* bits by supervisor->probed: given up for this view */
	struct restarts kind_restarts; /* of the kind that encodes now */
	bool desktop_gone;             /* its picture encoder waits for another desktop */
	bool opened, started;          /* started: the stream has its orders */
	struct view_flow flows[FLOWS];
	uint32_t kept; /* bits of view_record.c: what lies with the holder */
};

/* Spawns the three processes. */
int view_create(struct session *session, struct view **out) NODISCARD;

struct child_left;

/* The view that a predecessor had, from its record (LEDGER_VIEW) and what lies with
 * the holder; view_adopt() then brings its processes. */
int view_restore(struct session *session, const struct ipc_message *record,
		struct view **out) NODISCARD;

/* Goes on with a process of a view of the session; of one that is no more, it ends. */
int view_adopt(struct session *session, struct child_left *left) NODISCARD;

/* Whether all its processes run. */
bool view_is_whole(const struct view *view);

struct child_left;

/* The view that a predecessor had, from its record (LEDGER_VIEW) and what lies with
 * the holder; view_adopt() then brings its processes. */
int view_restore(struct session *session, const struct ipc_message *record,
		struct view **out) NODISCARD;

/* Goes on with a process of a view of the session; of one that is no more, it ends. */
int view_adopt(struct session *session, struct child_left *left) NODISCARD;

/* A process of the view has said who it is. missed: the predecessor had told it more
 * than its record says; what that was is not known, so another takes its place. */
void view_answered(struct view *view, struct child *child, bool missed);

/* What is missing is started, what has no orders gets them. */
void view_mend(struct view *view);

/* Writes its record. */
void view_write(const struct view *view);

/* ANNOUNCE came: gives the orders. LIFE_VIEW_READY follows, or LIFE_VIEWER_LOST. */
int view_open(struct view *view, const struct ipc_stream_params *params) NODISCARD;

/* A first datagram's socket; takes fd. */
void view_flow(struct view *view, const struct ipc_message *message, int fd);

/* The desktop has taken back an encoder's picture slots. */
void view_encoder_lost(struct view *view, uint32_t encoder, uint32_t reason);

/* The desktop died and is started again; it is there again. Both accept NULL. The
 * stream stays with what it has until the new desktop's first key frame. */
void view_desktop_gone(struct view *view);
void view_desktop_back(struct view *view);

/* Ends it: the client gets `code`, the processes stop. The view is freed, its
 * processes go on counting for the session until they are reaped. */
void view_close(struct view *view, uint32_t reason, uint32_t code);

/* Bits of video per second, in thousands, that leave room for FEC, headers and
 * sound below the client's ceiling. */
uint32_t view_video_kbps(const struct ipc_stream_params *params);

const char *view_part_name(enum view_part part);

#endif
