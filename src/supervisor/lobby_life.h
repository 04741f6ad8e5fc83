/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LOBBY_LIFE_H
#define SUPERVISOR_LOBBY_LIFE_H

#include <stdbool.h>
#include <stdint.h>

/* The life of a lobby and its desk, from the request to the last process reaped. Pure:
 * events in, one action out, a deadline to raise LOBBY_LIFE_OVERDUE at. */

enum lobby_life_state {
	LOBBY_LIFE_STARTING,
	LOBBY_LIFE_ALONE,   /* its desktop runs, nobody is in it */
	LOBBY_LIFE_OPEN,    /* somebody is */
	LOBBY_LIFE_MOVING,  /* its end has begun: who is in it goes home */
	LOBBY_LIFE_ENDING,  /* everything was asked to stop */
	LOBBY_LIFE_KILLING, /* everything was killed */
	LOBBY_LIFE_ENDED,
	/* Behind the others: the numbers are written down. */
	LOBBY_LIFE_PAUSING, /* it is to be paused: who is in it goes home */
	LOBBY_LIFE_PAUSED,  /* its app goes on, nobody gets in, and it is not left alone */
	LOBBY_LIFE_STATES,
};

enum lobby_life_event {
	LOBBY_LIFE_READY,    /* its desktop and its app run */
	LOBBY_LIFE_JOINED,   /* somebody is in it or about to be */
	LOBBY_LIFE_LEFT,     /* nobody is in it any more */
	LOBBY_LIFE_STOP,     /* asked for, its app is over, the host stops */
	LOBBY_LIFE_AGAIN,    /* its desktop died and is to be started again */
	LOBBY_LIFE_BROKEN,   /* something died without which nothing goes */
	LOBBY_LIFE_ALL_GONE, /* every process of it is reaped */
	LOBBY_LIFE_OVERDUE,
	LOBBY_LIFE_PAUSE,
	LOBBY_LIFE_RESUME,
	LOBBY_LIFE_EVENTS,
};

enum lobby_life_action {
	LOBBY_LIFE_REFUSE, /* nobody honest raises this now */
	LOBBY_LIFE_IGNORE, /* it was on its way when we moved on; or nothing is to be done */
	LOBBY_LIFE_NOTE,   /* the state alone changes */
	LOBBY_LIFE_ANSWER, /* it can be joined */
	LOBBY_LIFE_RESTART,
	LOBBY_LIFE_SEND_HOME, /* those who are in it, then raise LEFT */
	LOBBY_LIFE_PUT_OUT,   /* who has not gone by now, then stop everything */
	LOBBY_LIFE_STOP_ALL,
	LOBBY_LIFE_KILL_ALL,
	LOBBY_LIFE_REAP,
	LOBBY_LIFE_GIVE_UP,
	LOBBY_LIFE_EMPTY,     /* as SEND_HOME, but it goes on */
	LOBBY_LIFE_PUT_ASIDE, /* who has not gone by now is put out; then as REST */
	LOBBY_LIFE_REST,      /* nobody is in it: it is paused */
};

enum {
	LOBBY_LIFE_START_MS = 8000,
	LOBBY_LIFE_MOVE_MS = 9000,
	LOBBY_LIFE_STOP_MS = 1500,
	LOBBY_LIFE_KILL_MS = 2000,
};

struct lobby_life {
	enum lobby_life_state state;
	uint64_t deadline_ms; /* when to raise LOBBY_LIFE_OVERDUE; 0 for never */
	uint32_t grace_ms;    /* how long it may be left alone, 0 for ever */
};

struct lobby_life lobby_life_begin(uint64_t now_ms, uint32_t grace_ms);

enum lobby_life_action lobby_life_step(
		struct lobby_life *life, enum lobby_life_event event, uint64_t now_ms);

/* Its end has begun; its processes were asked to stop. */
bool lobby_life_ends(enum lobby_life_state state);
bool lobby_life_stops(enum lobby_life_state state);

const char *lobby_life_state_name(enum lobby_life_state state);

#endif
