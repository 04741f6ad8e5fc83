/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CHILD_INSIDE_H
#define SUPERVISOR_CHILD_INSIDE_H

#include "supervisor/child.h"

/* Between child.c, which starts and hears children, watch.c, which judges them, and
 * fence.c, which ends the sick. Nobody else includes this. */

const struct pulse *child_pulse(const struct child *child);

/* Its last words are still in the channel and the pipe: hands them on. */
void child_drain(struct child *child);

/* Fills in `expected`, and the reason where nothing said one. */
uint32_t child_settle_end(struct child *child);

/* What the kind's unexpected death means to its session. */
uint32_t child_death_reason(enum ipc_peer kind);

/* Fences it if its pulse says that it crashed. */
void watch_crash(struct child *child);

/* The corpse has been looked at. */
void fence_release(struct child *child);

void child_free(struct child *child);

/* Puts it among the living, or among the corpses by its phase; takes it from there. */
void nursery_link(struct nursery *nursery, struct child *child);
void nursery_unlink(struct nursery *nursery, struct child *child);

#endif
