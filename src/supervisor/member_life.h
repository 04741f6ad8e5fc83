/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_MEMBER_LIFE_H
#define SUPERVISOR_MEMBER_LIFE_H

/* Where a session's viewer is: at its own desk, in a lobby, or on its way. Pure: events
 * in, one action out. The move has its own deadline (view.h), so every state that waits
 * ends in MOVED, STAYED or VIEW_GONE. */

enum member_state {
	MEMBER_HOME,
	MEMBER_JOINING,
	MEMBER_IN,
	MEMBER_CHANGING, /* in one lobby, on its way to another */
	MEMBER_LEAVING,
	MEMBER_STATES,
};

enum member_event {
	MEMBER_JOIN,   /* a lobby where it is not */
	MEMBER_LEAVE,  /* asked for; put out; the lobby ends */
	MEMBER_MOVED,  /* the first picture of where it went was sent */
	MEMBER_STAYED, /* it could not go there */
	MEMBER_VIEW_GONE,
	MEMBER_EVENTS,
};

enum member_action {
	MEMBER_NOTHING, /* no answer is due */
	MEMBER_GO,      /* to the lobby */
	MEMBER_GO_HOME,
	MEMBER_REFUSE_BUSY, /* it is on its way: one answer at once */
	MEMBER_REFUSE_HOME, /* it is in no lobby */
	MEMBER_WELCOME,     /* it is there: answer */
	MEMBER_APOLOGIZE,   /* it is where it was: answer why */
	MEMBER_FAREWELL,    /* it is in no lobby any more: answer */
	MEMBER_FORGET,      /* it has gone: it is in no lobby any more */
};

enum member_action member_step(enum member_state *state, enum member_event event);

const char *member_state_name(enum member_state state);

#endif
