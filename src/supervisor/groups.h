/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_GROUPS_H
#define SUPERVISOR_GROUPS_H

struct desk;
struct supervisor;

/* The sessions' control groups (cgroup.h) in the supervisor's life. */

/* Finds where they can be made; what is missing is logged once and shown in the status. */
void groups_open(struct supervisor *supervisor);

/* Before the first process of a desk is started. Without a group it goes on. */
void groups_make(struct desk *desk);

/* Removes those of sessions that are gone, as soon as their last process is. */
void groups_sweep(struct supervisor *supervisor);

/* Ends who is in a group of a session that we know nothing of. How many there were. */
unsigned groups_kill_strangers(struct supervisor *supervisor);

void groups_close(struct supervisor *supervisor);

#endif
