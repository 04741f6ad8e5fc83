/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_H
#define SUPERVISOR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "ipc/reason.h"
#include "supervisor/desk.h"
#include "supervisor/life.h"
#include "supervisor/member.h"
#include "supervisor/weigh.h"

struct app;
struct supervisor;
struct view;

/* Who asked for a session. */
enum session_added {
	ADDED_NOT,    /* its client, at the Moonlight door */
	ADDED_CLIENT, /* a program, for a client: a further one, which that door does not name */
	ADDED_NOBODY, /* a program, for no client */
};

/* One client's launch: a desk (desk.h) and, while somebody watches, a view (view.h).
 * Lives until the last process of both is reaped. */
struct session {
	struct supervisor *supervisor; /* borrowed */
	struct session *next;
	uint64_t id; /* random */
	struct life life;
	struct sd_event_source *overdue; /* owned: the life's deadline */

	uint8_t client[32];
	char client_name[64];
	struct address address;
	const struct app *app; /* borrowed */
	char trace[20];

	/* The newest launch; the key is wiped with the session. */
	struct ipc_message launch;
	bool launch_pending;       /* its request waits for an answer */
	struct ipc_message answer; /* LAUNCHED, to be repeated for a resend */
	bool plain_pending;        /* launched without encryption, PLAY not seen yet */
	uint32_t announce_request;
	bool announce_pending, announce_by_api; /* who waits is a program, by SESSION_START */

	struct desk *desk; /* owned: what was launched */
	struct member member;
	struct view *view; /* owned, NULL when nobody watches or is about to */
	unsigned children; /* processes of views that are not reaped, closing ones too */
	uint64_t launched_ms;
	uint64_t streaming_ms; /* since when, 0: not since we are the supervisor */
	bool internal;         /* of the readiness trial: not one of the users' */
	enum session_added added;
	bool coming;      /* the Moonlight door is being told who comes (session_added.h) */
	bool added_told;  /* the program that launched it has its answer */
	char profile[48]; /* whose PIN was given at its launcher, or had none; "" for nobody's */
	uint32_t reason;  /* why it ended */
	char detail[160];
	struct weigh_look weighed;
	struct ipc_message stats; /* the newest STREAM_STATS, kind 0: none */
	bool view_missed;         /* its view was told more than its record says (adopt.h) */
	bool recorded;            /* its record is as it is (record.h) */
};

/* LAUNCH of a gate: everything that can be refused at once is; else the answer
 * comes when the desktop is ready. */
void session_handle_launch(struct supervisor *supervisor, const struct ipc_message *message);
void session_handle_cancel(struct supervisor *supervisor, const struct ipc_message *message);
void session_handle_announce(struct supervisor *supervisor, const struct ipc_message *message);
void session_handle_start(struct supervisor *supervisor, const struct ipc_message *message);
void session_handle_flow(struct supervisor *supervisor, const struct ipc_message *message, int fd);

/* PLAY came: RTSP of this launch is over. */
void session_handle_play(struct supervisor *supervisor, const struct ipc_message *message);

/* A request of the gate that waits since before we took over: one that died with our
 * predecessor is refused. */
void session_handle_waiting(struct supervisor *supervisor, const struct ipc_message *message);

/* Answers a launch, to the door that it came by, with a reason; detail may be NULL. */
void session_refuse_launch(struct supervisor *supervisor, const struct ipc_message *launch,
		uint32_t reason, const char *detail);

/* A client's certificate was revoked. */
void session_handle_client_gone(struct supervisor *supervisor, const uint8_t client[32]);

/* Ends all of them. */
void session_quit_all(struct supervisor *supervisor, enum reason reason);

/* Raises an event; reason and detail (may be NULL) are kept when it is an end. */
void session_raise(struct session *session, enum life_event event, uint32_t reason,
		const char *detail);

/* The session of that id, in whatever state; NULL when there is none. */
/* Whether somebody sees what its viewer is shown. */
enum notice_audience session_audience(const struct session *session);

struct session *session_find(struct supervisor *supervisor, uint64_t id);

/* What hears of a session's own desk. */
extern const struct desk_owner session_desk_owner;

/* For the views: a process of this session is gone. */
void session_child_gone(struct session *session);

/* The move of its view has come to an end: it is there, or stays where it was and why. */
void session_switched(struct session *session, uint32_t reason);

/* Tells the doors what runs for the client. */
void session_tell_state(const struct session *session);
void session_tell_states(struct supervisor *supervisor);

#endif
