/* SPDX-License-Identifier: MIT */
#include "supervisor/lobby_life.h"

struct step {
	enum lobby_life_action action;
	enum lobby_life_state next;
	uint32_t limit_ms; /* 0: no deadline in the next state */
};

/* As long as it may be left alone. */
#define GRACE UINT32_MAX

#define A(action) LOBBY_LIFE_##action
#define NOT_NOW \
	{ .action = A(IGNORE) }

/* clang-format off */
/* A cell left out is REFUSE. IGNORE neither moves nor touches the deadline. A lobby that
 * nobody has joined yet waits for the first without an end. */
static const struct step steps[LOBBY_LIFE_STATES][LOBBY_LIFE_EVENTS] = {
	[LOBBY_LIFE_STARTING] = {
		[LOBBY_LIFE_READY]    = { A(ANSWER),    A(ALONE),   0 },
		[LOBBY_LIFE_LEFT]     = NOT_NOW,
		[LOBBY_LIFE_STOP]     = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_AGAIN]    = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_BROKEN]   = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_OVERDUE]  = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_ALONE] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_JOINED]   = { A(NOTE),      A(OPEN),    0 },
		[LOBBY_LIFE_LEFT]     = NOT_NOW,
		[LOBBY_LIFE_STOP]     = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_AGAIN]    = { A(RESTART),   A(ALONE),   GRACE },
		[LOBBY_LIFE_BROKEN]   = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_OVERDUE]  = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_PAUSE]    = { A(REST),      A(PAUSED),  0 },
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_OPEN] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_JOINED]   = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = { A(NOTE),      A(ALONE),   GRACE },
		[LOBBY_LIFE_STOP]     = { A(SEND_HOME), A(MOVING),  LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_AGAIN]    = { A(RESTART),   A(OPEN),    0 },
		[LOBBY_LIFE_BROKEN]   = { A(SEND_HOME), A(MOVING),  LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_PAUSE]    = { A(EMPTY),     A(PAUSING), LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_MOVING] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_JOINED]   = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_STOP]     = NOT_NOW,
		[LOBBY_LIFE_AGAIN]    = NOT_NOW,
		[LOBBY_LIFE_BROKEN]   = NOT_NOW,
		[LOBBY_LIFE_ALL_GONE] = NOT_NOW,
		[LOBBY_LIFE_OVERDUE]  = { A(PUT_OUT),   A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_ENDING] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = NOT_NOW,
		[LOBBY_LIFE_STOP]     = NOT_NOW,
		[LOBBY_LIFE_AGAIN]    = NOT_NOW,
		[LOBBY_LIFE_BROKEN]   = NOT_NOW,
		[LOBBY_LIFE_ALL_GONE] = { A(REAP),      A(ENDED),   0 },
		[LOBBY_LIFE_OVERDUE]  = { A(KILL_ALL),  A(KILLING), LOBBY_LIFE_KILL_MS },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_KILLING] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = NOT_NOW,
		[LOBBY_LIFE_STOP]     = NOT_NOW,
		[LOBBY_LIFE_AGAIN]    = NOT_NOW,
		[LOBBY_LIFE_BROKEN]   = NOT_NOW,
		[LOBBY_LIFE_ALL_GONE] = { A(REAP),      A(ENDED),   0 },
		[LOBBY_LIFE_OVERDUE]  = { A(GIVE_UP),   A(ENDED),   0 },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_PAUSING] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_JOINED]   = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = { A(REST),      A(PAUSED),  0 },
		[LOBBY_LIFE_STOP]     = { A(SEND_HOME), A(MOVING),  LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_AGAIN]    = { A(RESTART),   A(PAUSING), LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_BROKEN]   = { A(SEND_HOME), A(MOVING),  LOBBY_LIFE_MOVE_MS },
		[LOBBY_LIFE_OVERDUE]  = { A(PUT_ASIDE), A(PAUSED),  0 },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = NOT_NOW,
	},
	[LOBBY_LIFE_PAUSED] = {
		[LOBBY_LIFE_READY]    = NOT_NOW,
		[LOBBY_LIFE_JOINED]   = NOT_NOW,
		[LOBBY_LIFE_LEFT]     = NOT_NOW,
		[LOBBY_LIFE_STOP]     = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_AGAIN]    = { A(RESTART),   A(PAUSED),  0 },
		[LOBBY_LIFE_BROKEN]   = { A(STOP_ALL),  A(ENDING),  LOBBY_LIFE_STOP_MS },
		[LOBBY_LIFE_PAUSE]    = NOT_NOW,
		[LOBBY_LIFE_RESUME]   = { A(NOTE),      A(ALONE),   GRACE },
	},
};

static const char *const state_names[LOBBY_LIFE_STATES] = {
	[LOBBY_LIFE_STARTING] = "starting", [LOBBY_LIFE_ALONE] = "alone",
	[LOBBY_LIFE_OPEN] = "open", [LOBBY_LIFE_MOVING] = "moving",
	[LOBBY_LIFE_ENDING] = "ending", [LOBBY_LIFE_KILLING] = "killing",
	[LOBBY_LIFE_ENDED] = "ended",
	[LOBBY_LIFE_PAUSING] = "pausing", [LOBBY_LIFE_PAUSED] = "paused",
};
/* clang-format on */

const char *lobby_life_state_name(enum lobby_life_state state) {
	return state_names[state];
}

bool lobby_life_ends(enum lobby_life_state state) {
	return state >= LOBBY_LIFE_MOVING && state <= LOBBY_LIFE_ENDED;
}

bool lobby_life_stops(enum lobby_life_state state) {
	return state >= LOBBY_LIFE_ENDING && state <= LOBBY_LIFE_ENDED;
}

struct lobby_life lobby_life_begin(uint64_t now_ms, uint32_t grace_ms) {
	return (struct lobby_life){ .state = LOBBY_LIFE_STARTING,
		.deadline_ms = now_ms + LOBBY_LIFE_START_MS,
		.grace_ms = grace_ms };
}

enum lobby_life_action lobby_life_step(
		struct lobby_life *life, enum lobby_life_event event, uint64_t now_ms) {
	const struct step *step = &steps[life->state][event];
	if (step->action > LOBBY_LIFE_IGNORE) {
		uint32_t limit_ms = step->limit_ms == GRACE ? life->grace_ms : step->limit_ms;
		life->state = step->next;
		life->deadline_ms = limit_ms ? now_ms + limit_ms : 0;
	}
	return step->action;
}
