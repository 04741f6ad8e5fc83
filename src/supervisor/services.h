/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SERVICES_H
#define SUPERVISOR_SERVICES_H

#include "base/own.h"
#include "ipc/message.h"

struct supervisor;

/* The machine-wide workers: store, the two doors, helpers. Each is one row of a
 * table; each is started again with backoff when it ends, and told everything it
 * must know when it starts. */

/* Starts all of them. -errno when one that must be there cannot be spawned. */
int services_start(struct supervisor *supervisor) NODISCARD;

void services_stop(struct supervisor *supervisor);

/* How many still run. */
unsigned services_running(const struct supervisor *supervisor);

#endif
