/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_H
#define SUPERVISOR_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"
#include "ipc/reason.h"
#include "supervisor/child.h"
#include "supervisor/life.h"
#include "supervisor/restarts.h"
#include "supervisor/weigh.h"

struct app;
struct supervisor;
struct view;

/* One client's launch: a desktop with its sound server and app, and, while
 * somebody watches, a view (view.h). Lives until its last process is reaped. */
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
	bool announce_pending;

	struct child *desktop, *sound, *runner;
	struct view *view; /* owned, NULL when nobody watches or is about to */
	unsigned children; /* processes of ours that are not reaped, closing ones too */
	uint32_t app_pid;
	int app_pidfd, app_output_fd; /* owned: for the next runner, -1 before the app runs */
	struct restarts runner_restarts;
	bool app_reaped; /* by the holder, with app_status */
	bool app_status_known;
	bool app_ending; /* of a desktop before this one: the next app waits for its end */
	int app_status;
	struct sd_event_source *app_blame; /* owned: its failure is about to be judged */
	char app_words[160];               /* what is said then */
	int sound_listen_fd;               /* owned: outlives the sound server */
	struct restarts sound_restarts;
	struct sd_event_source *sound_retry; /* owned */
	char runtime[128], sound_server[160], x_display[16];
	uint16_t width, height; /* of the desktop now */
	uint32_t rate_mhz;
	bool desktop_ready;
	struct restarts desktop_restarts;
	uint32_t desktop_wait_ms;              /* until the next one */
	struct sd_event_source *desktop_retry; /* owned: another one, then its first window */

	uint64_t launched_ms;
	bool internal;   /* of the readiness trial: not one of the users' */
	uint32_t reason; /* why it ended */
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
void session_handle_flow(struct supervisor *supervisor, const struct ipc_message *message, int fd);

/* PLAY came: RTSP of this launch is over. */
void session_handle_play(struct supervisor *supervisor, const struct ipc_message *message);

/* A request of the gate that waits since before we took over: one that died with our
 * predecessor is refused. */
void session_handle_waiting(struct supervisor *supervisor, const struct ipc_message *message);

/* Answers a launch with a reason; detail may be NULL. */
void session_refuse_launch(struct supervisor *supervisor, uint32_t request, uint32_t reason,
		const char *detail);

/* A client's certificate was revoked. */
void session_handle_client_gone(struct supervisor *supervisor, const uint8_t client[32]);

/* Ends all of them. */
void session_quit_all(struct supervisor *supervisor, enum reason reason);

/* Raises an event; reason and detail (may be NULL) are kept when it is an end. */
void session_raise(struct session *session, enum life_event event, uint32_t reason,
		const char *detail);

/* The session of that id, in whatever state; NULL when there is none. */
struct session *session_find(struct supervisor *supervisor, uint64_t id);

/* For the parts: a process of this session was spawned or is gone. */
void session_child_gone(struct session *session);

/* Tells the doors what runs for the client. */
void session_tell_state(const struct session *session);
void session_tell_states(struct supervisor *supervisor);

#endif
