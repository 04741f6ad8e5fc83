/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_NOTICE_LIFE_H
#define SUPERVISOR_NOTICE_LIFE_H

#include <stdint.h>

/* When a desk's Notice is shown, and for how long. Pure: events in, one action out, a
 * deadline to raise NOTICE_OVERDUE at. */

enum notice_state {
	NOTICE_OFF,
	NOTICE_AGAIN,       /* the desktop is started again: to be shown on it first */
	NOTICE_AGAIN_SHOWN, /* long enough to be read */
	NOTICE_AGAIN_READ,  /* until the app has a window */
	NOTICE_WAIT,        /* the app has had no window for a while */
	NOTICE_END,         /* all of it ends: to be shown before that */
	NOTICE_END_SHOWN,   /* nobody has a picture of it yet */
	NOTICE_END_READ,    /* long enough to be read */
	NOTICE_STATES,
};

enum notice_event {
	NOTICE_DO_AGAIN, /* a desktop is being started in place of one that died */
	NOTICE_DO_WAIT,
	NOTICE_DO_END,
	NOTICE_IS_UP,     /* its window is there */
	NOTICE_WINDOW,    /* the app has one */
	NOTICE_WATCHED,   /* somebody gets pictures */
	NOTICE_UNWATCHED, /* and nobody is about to, any more */
	NOTICE_LOST,      /* its process, or its desktop, is gone */
	NOTICE_OVER,      /* the desk ends */
	NOTICE_OVERDUE,
	NOTICE_EVENTS,
};

enum notice_action {
	NOTICE_IGNORE,
	NOTICE_NOTHING, /* only the state moves */
	NOTICE_OPEN,    /* start it, with words for the state */
	NOTICE_SAY,     /* other words, for the state */
	NOTICE_REVEAL,  /* viewers may look at the desktop now */
	NOTICE_CLOSE,
	NOTICE_CLOSE_REVEAL, /* it could not be shown */
	NOTICE_FINISH,       /* the end that was held back */
};

enum {
	NOTICE_OPEN_MS = 4000, /* with the desktop's start; then it goes on without */
	NOTICE_AGAIN_MS = 2000,
	NOTICE_END_MS = 4000,
	NOTICE_AT_ONCE_MS = 1, /* from the loop, not from within what told */
};

struct notice_life {
	enum notice_state state;
	uint64_t deadline_ms; /* when to raise NOTICE_OVERDUE; 0 for never */
};

enum notice_action notice_step(struct notice_life *life, enum notice_event event, uint64_t now_ms);

const char *notice_state_name(enum notice_state state);

#endif
