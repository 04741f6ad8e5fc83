/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VIEW_H
#define SUPERVISOR_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shm.h"
#include "ipc/message.h"
#include "ipc/reason.h"
#include "supervisor/encoding.h"
#include "supervisor/line.h"
#include "supervisor/place.h"

struct desk;
struct session;
struct view;

enum {
	VIEW_STREAM_GRACE_MS = 700, /* the client is told the end in this time */
	VIEW_SWITCH_MS = 8000,      /* encoders that are started, then the stream's own limit */
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

/* Where a view's pictures and sound come from and its input goes to. */
struct view_seat {
	struct desk *desk;                         /* borrowed; NULL: nowhere */
	struct encoding *encoding[ENCODING_KINDS]; /* borrowed of the desk; may be NULL */
	uint32_t source;                           /* the stream's number for it */
	bool told;                                 /* the stream has it */
	bool may_input;
};

/* What exists only while somebody watches: a stream process, and its seat. The stream
 * is spawned when the client launches and gets its orders when it has announced, so that
 * linking and loading are over by then. One that dies gets a successor, which the client
 * does not notice but as a gap: succeed.c. */
struct view {
	struct session *session; /* borrowed */
	uint32_t id;             /* machine-unique: viewer and reader id */
	uint32_t incarnation;    /* of the stream */
	struct place stream;
	struct view_seat now;
	struct view_seat next;           /* while it moves; else its desk is NULL */
	uint32_t abandoned;              /* source of the last move that was given up, or 0 */
	bool astray;                     /* the stream moved there all the same */
	struct sd_event_source *overdue; /* owned: of the move */
	struct line line;                /* whether it shares its pictures with others */
	struct encoding *coming;         /* borrowed: pictures of its desk that it will read */
	struct ipc_stream_params params;
	struct shm page;      /* the takeover page */
	bool opened, started; /* started: the stream has its orders */
	struct view_flow flows[FLOWS];
	uint32_t kept; /* bits of view_record.c: what lies with the holder */
};

/* Spawns the stream, and encoders for the session's own desk. */
int view_create(struct session *session, struct view **out) NODISCARD;

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

/* Moves it to another desk that is ready. session_switched() follows, unless -errno. Where
 * it moves already, or where it is, is not moved to: -EBUSY, -EALREADY. */
int view_switch(struct view *view, struct desk *desk, bool may_input) NODISCARD;

/* Less time than usual for the move that has just begun; 0 changes nothing. */
void view_switch_within(struct view *view, uint32_t limit_ms);

/* The move that is under way comes to nothing; session_switched() follows. */
void view_switch_fails(struct view *view, uint32_t reason);

/* Another role on the desk where it is. */
void view_set_input(struct view *view, bool may_input);

/* Whether it reads or is about to read an encoding; is on a desk or about to be. */
bool view_uses(const struct view *view, const struct encoding *encoding);
bool view_is_on(const struct view *view, const struct desk *desk);

/* An encoding that it uses has a ring (again); will be felt, or is over. */
void view_encoding_ready(
		struct view *view, struct encoding *encoding, uint32_t reason, const char *detail);
void view_encoding_failed(
		struct view *view, struct encoding *encoding, uint32_t reason, const char *detail);

/* The desk's desktop died and is started again: the stream stays with what it has until
 * the new one's first key frame. Accepts NULL. */
void view_desktop_gone(struct view *view, const struct desk *desk);

/* Ends it: the client gets `code`, the processes stop. The view is freed, its
 * processes go on counting for the session until they are reaped. */
void view_close(struct view *view, uint32_t reason, uint32_t code);

#endif
