/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LIFE_H
#define SUPERVISOR_LIFE_H

#include <stdint.h>

/* The life of a session: one client's launch, from the request to the last
 * process of it reaped. Pure: events in, one action out, a deadline to raise
 * LIFE_OVERDUE at. */

enum life_state {
	LIFE_STARTING,   /* desktop, sound and app are being started */
	LIFE_LAUNCHED,   /* the client knows; its RTSP has not announced yet */
	LIFE_PREPARING,  /* announced: encoders and stream are being opened */
	LIFE_CONNECTING, /* answered; the first datagrams and packet are awaited */
	LIFE_STREAMING,
	LIFE_PAUSED,  /* the app runs, nobody watches */
	LIFE_ENDING,  /* everything was asked to stop */
	LIFE_KILLING, /* everything was killed */
	LIFE_ENDED,   /* nothing is left */
	LIFE_STATES,
};

enum life_event {
	LIFE_DESKTOP_READY, /* a client may be told */
	LIFE_ANNOUNCED,     /* RTSP ANNOUNCE came */
	LIFE_VIEW_READY,    /* encoders opened, stream started */
	LIFE_FIRST_PACKET,
	LIFE_VIEWER_LOST,  /* disconnect, silence, or a part of the view died */
	LIFE_RELAUNCH,     /* the client launched or resumed again */
	LIFE_QUIT,         /* cancel, app over, revoked, shutdown */
	LIFE_DESKTOP_GONE, /* it died, and is to be started again with its app */
	LIFE_BROKEN,       /* the desktop or something else without which nothing goes died */
	LIFE_ALL_GONE,     /* every process of the session has been reaped */
	LIFE_OVERDUE,
	LIFE_EVENTS,
};

enum life_action {
	LIFE_REFUSE,        /* nobody honest raises this now */
	LIFE_IGNORE,        /* it was on its way when we moved on */
	LIFE_ANSWER_LAUNCH, /* tell the gate that it may connect */
	LIFE_OPEN_VIEW,     /* start encoders and stream for the announced form */
	LIFE_ANSWER_ANNOUNCE,
	LIFE_NOTE_STREAMING,
	LIFE_CLOSE_VIEW,      /* stop stream and encoders; the desktop stays */
	LIFE_RENEW,           /* new keys for a client that comes (back); answer when ready */
	LIFE_TAKE_OVER,       /* as RENEW, and close the old view first */
	LIFE_FAIL_LAUNCH,     /* tell the gate the reason, then stop everything */
	LIFE_FAIL_VIEW,       /* tell the gate the reason, close the view */
	LIFE_RESTART_DESKTOP, /* the viewer stays; nobody else notices */
	LIFE_STOP_ALL,
	LIFE_KILL_ALL,
	LIFE_REAP,
	LIFE_GIVE_UP, /* a process that cannot be killed: written off, reported */
};

enum {
	LIFE_START_MS = 8000,
	LIFE_LAUNCHED_MS = 30000, /* a client opens its own decoder in this time */
	LIFE_PREPARE_MS = 5000,
	LIFE_CONNECT_MS = 15000,
	LIFE_STOP_MS = 1500,
	LIFE_KILL_MS = 2000,
};

struct life {
	enum life_state state;
	uint64_t deadline_ms; /* when to raise LIFE_OVERDUE; 0 for never */
};

struct life life_begin(uint64_t now_ms);

enum life_action life_step(struct life *life, enum life_event event, uint64_t now_ms);

const char *life_state_name(enum life_state state);
const char *life_event_name(enum life_event event);

#endif
