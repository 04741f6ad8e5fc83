/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_CONTAINER_LIFE_H
#define RUNNER_CONTAINER_LIFE_H

#include <stdint.h>

/* The life of one container, from its runner's view. Pure. */

enum container_state {
	CONTAINER_IDLE,    /* no app was asked for */
	CONTAINER_FINDING, /* a runner before this one may have made it */
	CONTAINER_CREATING,
	CONTAINER_PULLING,  /* its image */
	CONTAINER_CLEARING, /* one of the same name, left over */
	CONTAINER_STARTING,
	CONTAINER_RUNNING,
	CONTAINER_LEAVING, /* to stop, but a request is under way that must be awaited */
	CONTAINER_STOPPING,
	CONTAINER_REMOVING,
	CONTAINER_GONE,
	CONTAINER_STATES,
};

enum container_event {
	CONTAINER_BEGIN,
	CONTAINER_GO_ON, /* begin, but look for it first */
	CONTAINER_OK,    /* the request went well */
	CONTAINER_MISSING,
	CONTAINER_TAKEN, /* the name is */
	CONTAINER_FAILED,
	CONTAINER_EXITED,
	CONTAINER_STOP,
	CONTAINER_EVENTS,
};

enum container_action {
	CONTAINER_NOTHING,
	CONTAINER_FIND,
	CONTAINER_CREATE,
	CONTAINER_PULL,
	CONTAINER_CLEAR,
	CONTAINER_START,
	CONTAINER_WATCH,
	CONTAINER_ASK_STOP,
	CONTAINER_REMOVE,
	CONTAINER_REPORT, /* nothing is left of it */
	CONTAINER_ACTIONS,
};

/* The state after the event; *out_action is what is to be done. An event that means nothing
 * there changes nothing. */
enum container_state container_life_step(enum container_state state, enum container_event event,
		enum container_action *out_action);

#endif
