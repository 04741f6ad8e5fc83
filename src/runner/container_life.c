/* SPDX-License-Identifier: MIT */
#include "runner/container_life.h"

struct cell {
	uint8_t next, action; /* 0, 0: ignored */
};

/* clang-format off */
#define TO(state, action) { CONTAINER_##state, CONTAINER_##action }

static const struct cell cells[CONTAINER_STATES][CONTAINER_EVENTS] = {
	[CONTAINER_IDLE] = {
		[CONTAINER_BEGIN]   = TO(CREATING, CREATE),
		[CONTAINER_GO_ON]   = TO(FINDING, FIND),
	},
	[CONTAINER_FINDING] = {
		[CONTAINER_OK]      = TO(RUNNING, WATCH),
		[CONTAINER_MISSING] = TO(CREATING, CREATE),
		[CONTAINER_FAILED]  = TO(REMOVING, REMOVE),
		[CONTAINER_STOP]    = TO(LEAVING, NOTHING),
	},
	[CONTAINER_CREATING] = {
		[CONTAINER_OK]      = TO(STARTING, START),
		[CONTAINER_MISSING] = TO(PULLING, PULL),
		[CONTAINER_TAKEN]   = TO(CLEARING, CLEAR),
		[CONTAINER_FAILED]  = TO(REMOVING, REMOVE), /* it may have been made all the same */
		[CONTAINER_STOP]    = TO(LEAVING, NOTHING),
	},
	[CONTAINER_PULLING] = {
		[CONTAINER_OK]      = TO(CREATING, CREATE),
		[CONTAINER_MISSING] = TO(GONE, REPORT),
		[CONTAINER_FAILED]  = TO(GONE, REPORT),
		[CONTAINER_STOP]    = TO(GONE, REPORT),
	},
	[CONTAINER_CLEARING] = {
		[CONTAINER_OK]      = TO(CREATING, CREATE),
		[CONTAINER_MISSING] = TO(CREATING, CREATE),
		[CONTAINER_FAILED]  = TO(GONE, REPORT),
		[CONTAINER_STOP]    = TO(LEAVING, NOTHING),
	},
	[CONTAINER_STARTING] = {
		[CONTAINER_OK]      = TO(RUNNING, WATCH),
		[CONTAINER_MISSING] = TO(REMOVING, REMOVE),
		[CONTAINER_FAILED]  = TO(REMOVING, REMOVE),
		[CONTAINER_STOP]    = TO(LEAVING, NOTHING),
	},
	[CONTAINER_RUNNING] = {
		[CONTAINER_EXITED]  = TO(REMOVING, REMOVE),
		[CONTAINER_STOP]    = TO(STOPPING, ASK_STOP),
	},
	[CONTAINER_LEAVING] = {
		[CONTAINER_OK]      = TO(REMOVING, REMOVE),
		[CONTAINER_MISSING] = TO(REMOVING, REMOVE),
		[CONTAINER_TAKEN]   = TO(REMOVING, REMOVE),
		[CONTAINER_FAILED]  = TO(REMOVING, REMOVE),
	},
	[CONTAINER_STOPPING] = {
		[CONTAINER_OK]      = TO(REMOVING, REMOVE),
		[CONTAINER_MISSING] = TO(REMOVING, REMOVE),
		[CONTAINER_FAILED]  = TO(REMOVING, REMOVE),
		[CONTAINER_EXITED]  = TO(REMOVING, REMOVE),
	},
	[CONTAINER_REMOVING] = {
		[CONTAINER_OK]      = TO(GONE, REPORT),
		[CONTAINER_MISSING] = TO(GONE, REPORT),
		[CONTAINER_FAILED]  = TO(GONE, REPORT),
	},
};
/* clang-format on */

enum container_state container_life_step(enum container_state state, enum container_event event,
		enum container_action *out_action) {
	const struct cell *cell = &cells[state][event];
	*out_action = (enum container_action)cell->action;
	return cell->next == CONTAINER_IDLE ? state : (enum container_state)cell->next;
}
