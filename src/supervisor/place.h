/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PLACE_H
#define SUPERVISOR_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "base/own.h"
#include "supervisor/child.h"
#include "supervisor/restarts.h"

/* A process that gets a successor when it dies, or its place while it is missing. */
struct place {
	struct child *child;           /* NULL while down */
	struct sd_event_source *retry; /* owned: when the next is started */
	struct restarts restarts;
	uint64_t down_ms; /* since when it is missed; 0: it serves */
};

/* For the log: which it is, and of what. */
struct place_name {
	uint64_t session;
	const char *part;
};

/* It is missed from now on, unless it was already. */
void place_missed(struct place *place);

/* It serves (again). */
void place_serves(struct place *place, const struct place_name *name);

/* It failed: handler(user) starts the next, from the loop. False: it is given up. */
bool place_failed(struct place *place, struct sd_event *event, const struct restarts_rule *rule,
		const struct place_name *name, uint32_t reason, sd_event_time_handler_t handler,
		void *user) NODISCARD;

/* Nobody needs it any more: owner and user hear of its end. */
void place_release(struct place *place, const struct child_owner *owner, void *user,
		uint32_t reason, uint32_t grace_ms);

#endif
