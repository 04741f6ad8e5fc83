/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_OBEY_PASS_H
#define SUPERVISOR_OBEY_PASS_H

#include <stdbool.h>

struct ipc_message;
struct nursery;

/* Carries a test's orders between the web door and the worker that is to obey
 * (ipc/obey.h). Nothing of it is in a build without -Dobey=true. */

#ifdef PERIGEE_OBEY

/* True when the message was an order or its outcome, and has been passed on. */
bool obey_pass(struct nursery *nursery, const struct ipc_message *message);

#else

static inline bool obey_pass(struct nursery *nursery, const struct ipc_message *message) {
	(void)nursery;
	(void)message;
	return false;
}

#endif

#endif
