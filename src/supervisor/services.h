/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SERVICES_H
#define SUPERVISOR_SERVICES_H

#include <stdbool.h>

#include "base/own.h"
#include "ipc/message.h"

struct service;
struct supervisor;

/* The machine-wide workers: store, the two doors, helpers. Each is one row of a
 * table; each is started again with backoff when it ends, and told everything it
 * must know when it starts. */

struct child_left;

/* Goes on with one that a predecessor started. One that does its work and leaves is
 * let go: services_start() starts it again if its work is not done. */
void services_adopt(struct supervisor *supervisor, struct child_left *left);

/* Starts all that do not run. -errno when one that must be there cannot be spawned. */
int services_start(struct supervisor *supervisor) NODISCARD;

/* Pictures for the apps that have none yet. */
void services_draw(struct supervisor *supervisor);

void services_stop(struct supervisor *supervisor);

/* How many still run. */
/* Ends what serves all sessions and is of another version than we, one after the other, so
 * that ours takes its place. True until all that is needed is ours and ready. */
bool services_renew(struct supervisor *supervisor);

unsigned services_running(const struct supervisor *supervisor);

/* It is to run as long as we do; false for what does its work and leaves, and for what
 * the configuration leaves out. */
bool services_stays(const struct service *service);
/* And without it no session can be. */
bool services_is_needed(const struct service *service);
const char *services_name(const struct service *service);

#endif
