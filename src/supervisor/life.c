/* SPDX-License-Identifier: MIT */
#include "supervisor/life.h"

struct step {
	enum life_action action;
	enum life_state next;
	uint32_t limit_ms; /* 0: no deadline in the next state */
};

/* clang-format off */
/* A cell left out is LIFE_REFUSE. LIFE_IGNORE neither moves nor touches the deadline. */
static const struct step steps[LIFE_STATES][LIFE_EVENTS] = {
	[LIFE_STARTING] = {
		[LIFE_DESKTOP_READY] = { LIFE_ANSWER_LAUNCH,   LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_RELAUNCH]      = { LIFE_RENEW,           LIFE_STARTING,   LIFE_START_MS },
		[LIFE_QUIT]          = { LIFE_FAIL_LAUNCH,     LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_FAIL_LAUNCH,     LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_BROKEN]        = { LIFE_FAIL_LAUNCH,     LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_OVERDUE]       = { LIFE_FAIL_LAUNCH,     LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_VIEWER_LOST]   = { .action = LIFE_IGNORE },
	},
	[LIFE_LAUNCHED] = {
		[LIFE_ANNOUNCED]     = { LIFE_OPEN_VIEW,       LIFE_PREPARING,  LIFE_PREPARE_MS },
		[LIFE_RELAUNCH]      = { LIFE_RENEW,           LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_QUIT]          = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_RESTART_DESKTOP, LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_BROKEN]        = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_OVERDUE]       = { LIFE_CLOSE_VIEW,      LIFE_PAUSED,     0 },
		[LIFE_VIEWER_LOST]   = { .action = LIFE_IGNORE },
		[LIFE_DESKTOP_READY] = { LIFE_ANSWER_LAUNCH,   LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
		[LIFE_FIRST_PACKET]  = { .action = LIFE_IGNORE },
	},
	[LIFE_PREPARING] = {
		[LIFE_VIEW_READY]    = { LIFE_ANSWER_ANNOUNCE, LIFE_CONNECTING, LIFE_CONNECT_MS },
		[LIFE_RELAUNCH]      = { LIFE_TAKE_OVER,       LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_VIEWER_LOST]   = { LIFE_FAIL_VIEW,       LIFE_PAUSED,     0 },
		[LIFE_QUIT]          = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_RESTART_DESKTOP, LIFE_PREPARING,  LIFE_PREPARE_MS },
		[LIFE_BROKEN]        = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_OVERDUE]       = { LIFE_FAIL_VIEW,       LIFE_PAUSED,     0 },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
	},
	[LIFE_CONNECTING] = {
		[LIFE_FIRST_PACKET]  = { LIFE_NOTE_STREAMING,  LIFE_STREAMING,  0 },
		[LIFE_RELAUNCH]      = { LIFE_TAKE_OVER,       LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_VIEWER_LOST]   = { LIFE_CLOSE_VIEW,      LIFE_PAUSED,     0 },
		[LIFE_QUIT]          = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_RESTART_DESKTOP, LIFE_CONNECTING, LIFE_CONNECT_MS },
		[LIFE_BROKEN]        = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_OVERDUE]       = { LIFE_CLOSE_VIEW,      LIFE_PAUSED,     0 },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
	},
	[LIFE_STREAMING] = {
		[LIFE_RELAUNCH]      = { LIFE_TAKE_OVER,       LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_VIEWER_LOST]   = { LIFE_CLOSE_VIEW,      LIFE_PAUSED,     0 },
		[LIFE_QUIT]          = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_RESTART_DESKTOP, LIFE_STREAMING,  0 },
		[LIFE_BROKEN]        = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
		[LIFE_FIRST_PACKET]  = { .action = LIFE_IGNORE },
	},
	[LIFE_PAUSED] = {
		[LIFE_RELAUNCH]      = { LIFE_RENEW,           LIFE_LAUNCHED,   LIFE_LAUNCHED_MS },
		[LIFE_QUIT]          = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_DESKTOP_GONE]  = { LIFE_RESTART_DESKTOP, LIFE_PAUSED,     0 },
		[LIFE_BROKEN]        = { LIFE_STOP_ALL,        LIFE_ENDING,     LIFE_STOP_MS },
		[LIFE_ANNOUNCED]     = { .action = LIFE_IGNORE },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
		[LIFE_FIRST_PACKET]  = { .action = LIFE_IGNORE },
		[LIFE_VIEWER_LOST]   = { .action = LIFE_IGNORE },
	},
	[LIFE_ENDING] = {
		[LIFE_ALL_GONE]      = { LIFE_REAP,            LIFE_ENDED,      0 },
		[LIFE_OVERDUE]       = { LIFE_KILL_ALL,        LIFE_KILLING,    LIFE_KILL_MS },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
		[LIFE_ANNOUNCED]     = { .action = LIFE_IGNORE },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
		[LIFE_FIRST_PACKET]  = { .action = LIFE_IGNORE },
		[LIFE_VIEWER_LOST]   = { .action = LIFE_IGNORE },
		[LIFE_QUIT]          = { .action = LIFE_IGNORE },
		[LIFE_DESKTOP_GONE]  = { .action = LIFE_IGNORE },
		[LIFE_BROKEN]        = { .action = LIFE_IGNORE },
	},
	[LIFE_KILLING] = {
		[LIFE_ALL_GONE]      = { LIFE_REAP,            LIFE_ENDED,      0 },
		[LIFE_OVERDUE]       = { LIFE_GIVE_UP,         LIFE_ENDED,      0 },
		[LIFE_DESKTOP_READY] = { .action = LIFE_IGNORE },
		[LIFE_ANNOUNCED]     = { .action = LIFE_IGNORE },
		[LIFE_VIEW_READY]    = { .action = LIFE_IGNORE },
		[LIFE_FIRST_PACKET]  = { .action = LIFE_IGNORE },
		[LIFE_VIEWER_LOST]   = { .action = LIFE_IGNORE },
		[LIFE_QUIT]          = { .action = LIFE_IGNORE },
		[LIFE_DESKTOP_GONE]  = { .action = LIFE_IGNORE },
		[LIFE_BROKEN]        = { .action = LIFE_IGNORE },
	},
};

static const char *const state_names[LIFE_STATES] = {
	[LIFE_STARTING] = "starting", [LIFE_LAUNCHED] = "launched", [LIFE_PREPARING] = "preparing",
	[LIFE_CONNECTING] = "connecting", [LIFE_STREAMING] = "streaming", [LIFE_PAUSED] = "paused",
	[LIFE_ENDING] = "ending", [LIFE_KILLING] = "killing", [LIFE_ENDED] = "ended",
};

static const char *const event_names[LIFE_EVENTS] = {
	[LIFE_DESKTOP_READY] = "desktop-ready", [LIFE_ANNOUNCED] = "announced",
	[LIFE_VIEW_READY] = "view-ready", [LIFE_FIRST_PACKET] = "first-packet",
	[LIFE_VIEWER_LOST] = "viewer-lost", [LIFE_RELAUNCH] = "relaunch", [LIFE_QUIT] = "quit",
	[LIFE_DESKTOP_GONE] = "desktop-gone", [LIFE_BROKEN] = "broken", [LIFE_ALL_GONE] = "all-gone", [LIFE_OVERDUE] = "overdue",
};
/* clang-format on */

const char *life_state_name(enum life_state state) {
	return state_names[state];
}

const char *life_event_name(enum life_event event) {
	return event_names[event];
}

struct life life_begin(uint64_t now_ms) {
	return (struct life){ .state = LIFE_STARTING, .deadline_ms = now_ms + LIFE_START_MS };
}

enum life_action life_step(struct life *life, enum life_event event, uint64_t now_ms) {
	const struct step *step = &steps[life->state][event];
	if (step->action > LIFE_IGNORE) {
		life->state = step->next;
		life->deadline_ms = step->limit_ms ? now_ms + step->limit_ms : 0;
	}
	return step->action;
}
