/* SPDX-License-Identifier: MIT */
#include "supervisor/notice_life.h"

struct step {
	enum notice_action action;
	enum notice_state next;
	uint32_t limit_ms; /* 0: no deadline in the next state */
};

/* clang-format off */
/* A cell left out is NOTICE_IGNORE: it neither moves nor touches the deadline. */
static const struct step steps[NOTICE_STATES][NOTICE_EVENTS] = {
	[NOTICE_OFF] = {
		[NOTICE_DO_AGAIN]  = { NOTICE_OPEN,         NOTICE_AGAIN,       NOTICE_OPEN_MS },
		[NOTICE_DO_WAIT]   = { NOTICE_OPEN,         NOTICE_WAIT,        0 },
		[NOTICE_DO_END]    = { NOTICE_OPEN,         NOTICE_END,         NOTICE_OPEN_MS },
	},
	[NOTICE_AGAIN] = {
		[NOTICE_DO_END]    = { NOTICE_SAY,          NOTICE_END,         NOTICE_OPEN_MS },
		[NOTICE_IS_UP]     = { NOTICE_REVEAL,       NOTICE_AGAIN_SHOWN, NOTICE_AGAIN_MS },
		[NOTICE_LOST]      = { NOTICE_CLOSE_REVEAL, NOTICE_OFF,         0 },
		[NOTICE_OVERDUE]   = { NOTICE_CLOSE_REVEAL, NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_AGAIN_SHOWN] = {
		[NOTICE_DO_END]    = { NOTICE_SAY,          NOTICE_END,         NOTICE_OPEN_MS },
		[NOTICE_OVERDUE]   = { NOTICE_NOTHING,      NOTICE_AGAIN_READ,  0 },
		[NOTICE_LOST]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_AGAIN_READ] = {
		[NOTICE_DO_WAIT]   = { NOTICE_SAY,          NOTICE_WAIT,        0 },
		[NOTICE_DO_END]    = { NOTICE_SAY,          NOTICE_END,         NOTICE_OPEN_MS },
		[NOTICE_WINDOW]    = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
		[NOTICE_LOST]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_WAIT] = {
		[NOTICE_DO_END]    = { NOTICE_SAY,          NOTICE_END,         NOTICE_OPEN_MS },
		[NOTICE_WINDOW]    = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
		[NOTICE_LOST]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_END] = {
		[NOTICE_IS_UP]     = { NOTICE_REVEAL,       NOTICE_END_SHOWN,   0 },
		[NOTICE_UNWATCHED] = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_LOST]      = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_OVERDUE]   = { NOTICE_FINISH,       NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_END_SHOWN] = {
		[NOTICE_WATCHED]   = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_END_MS },
		[NOTICE_UNWATCHED] = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_LOST]      = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
	[NOTICE_END_READ] = {
		[NOTICE_UNWATCHED] = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_LOST]      = { NOTICE_NOTHING,      NOTICE_END_READ,    NOTICE_AT_ONCE_MS },
		[NOTICE_OVERDUE]   = { NOTICE_FINISH,       NOTICE_OFF,         0 },
		[NOTICE_OVER]      = { NOTICE_CLOSE,        NOTICE_OFF,         0 },
	},
};

static const char *const names[NOTICE_STATES] = {
	[NOTICE_OFF] = "off", [NOTICE_AGAIN] = "again", [NOTICE_AGAIN_SHOWN] = "again-shown",
	[NOTICE_AGAIN_READ] = "again-read", [NOTICE_WAIT] = "wait", [NOTICE_END] = "end",
	[NOTICE_END_SHOWN] = "end-shown", [NOTICE_END_READ] = "end-read",
};
/* clang-format on */

const char *notice_state_name(enum notice_state state) {
	return names[state];
}

enum notice_action notice_step(struct notice_life *life, enum notice_event event, uint64_t now_ms) {
	const struct step *step = &steps[life->state][event];
	if (step->action != NOTICE_IGNORE) {
		life->state = step->next;
		life->deadline_ms = step->limit_ms ? now_ms + step->limit_ms : 0;
	}
	return step->action;
}
