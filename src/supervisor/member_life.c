/* SPDX-License-Identifier: MIT */
#include "supervisor/member_life.h"

struct step {
	enum member_action action;
	enum member_state next;
};

#define M(word) MEMBER_##word

/* clang-format off */
static const struct step steps[MEMBER_STATES][MEMBER_EVENTS] = {
	[MEMBER_HOME] = {
		[MEMBER_JOIN]      = { M(GO),          M(JOINING) },
		[MEMBER_LEAVE]     = { M(REFUSE_HOME), M(HOME) },
		[MEMBER_MOVED]     = { M(NOTHING),     M(HOME) },
		[MEMBER_STAYED]    = { M(NOTHING),     M(HOME) },
		[MEMBER_VIEW_GONE] = { M(NOTHING),     M(HOME) },
	},
	[MEMBER_JOINING] = {
		[MEMBER_JOIN]      = { M(REFUSE_BUSY), M(JOINING) },
		[MEMBER_LEAVE]     = { M(REFUSE_BUSY), M(JOINING) },
		[MEMBER_MOVED]     = { M(WELCOME),     M(IN) },
		[MEMBER_STAYED]    = { M(APOLOGIZE),   M(HOME) },
		[MEMBER_VIEW_GONE] = { M(APOLOGIZE),   M(HOME) },
	},
	[MEMBER_IN] = {
		[MEMBER_JOIN]      = { M(GO),          M(CHANGING) },
		[MEMBER_LEAVE]     = { M(GO_HOME),     M(LEAVING) },
		[MEMBER_MOVED]     = { M(NOTHING),     M(IN) },
		[MEMBER_STAYED]    = { M(NOTHING),     M(IN) },
		[MEMBER_VIEW_GONE] = { M(FORGET),      M(HOME) },
	},
	[MEMBER_CHANGING] = {
		[MEMBER_JOIN]      = { M(REFUSE_BUSY), M(CHANGING) },
		[MEMBER_LEAVE]     = { M(REFUSE_BUSY), M(CHANGING) },
		[MEMBER_MOVED]     = { M(WELCOME),     M(IN) },
		[MEMBER_STAYED]    = { M(APOLOGIZE),   M(IN) },
		[MEMBER_VIEW_GONE] = { M(FORGET),      M(HOME) },
	},
	[MEMBER_LEAVING] = {
		[MEMBER_JOIN]      = { M(REFUSE_BUSY), M(LEAVING) },
		[MEMBER_LEAVE]     = { M(REFUSE_BUSY), M(LEAVING) },
		[MEMBER_MOVED]     = { M(FAREWELL),    M(HOME) },
		[MEMBER_STAYED]    = { M(APOLOGIZE),   M(IN) },
		[MEMBER_VIEW_GONE] = { M(FAREWELL),    M(HOME) },
	},
};

static const char *const state_names[MEMBER_STATES] = {
	[MEMBER_HOME] = "home", [MEMBER_JOINING] = "joining", [MEMBER_IN] = "in",
	[MEMBER_CHANGING] = "changing", [MEMBER_LEAVING] = "leaving",
};
/* clang-format on */

enum member_action member_step(enum member_state *state, enum member_event event) {
	const struct step *step = &steps[*state][event];
	*state = step->next;
	return step->action;
}

const char *member_state_name(enum member_state state) {
	return state_names[state];
}
