/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_BY_HAND_H
#define SUPERVISOR_BY_HAND_H

#include "ipc/message.h"

struct supervisor;

/* `perigee restart KIND [ID]`: ends one process, so that what happens after any death
 * happens. The answer goes to the web door: that it was done, or why not. */
void by_hand_restart(struct supervisor *supervisor, const struct ipc_message *message);

#endif
