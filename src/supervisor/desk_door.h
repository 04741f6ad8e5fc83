/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_DESK_DOOR_H
#define SUPERVISOR_DESK_DOOR_H

#include <stdbool.h>
#include <stdint.h>

struct desk;
struct supervisor;

/* The socket of a desktop, for the programs on it: it lies in the folder that its app alone
 * sees, the web door listens at it, and it is about that desktop and nothing else. It is
 * one socket for as long as the desk lives, whoever dies meanwhile: a container has the
 * file itself, which must not be made anew. So it lies with the holder, too. */
#define DESK_DOOR_SOCKET "perigee.sock"

/* Makes it, before the app runs, and gives it to the web door. None for the readiness
 * trial's desk. One that cannot be made is logged: the app then runs without. */
void desk_door_open(struct desk *desk);

/* After a supervisor's death: what the holder has. */
void desk_door_restore(struct desk *desk);

/* To a web door that has just come, or that may not know of all. */
void desk_door_give_all(struct supervisor *supervisor);

/* The desk is no more. */
void desk_door_close(struct desk *desk);

bool desk_door_is_there(const struct desk *desk);

/* Answers a STATUS_ASK with the filter "desk ID", the id in 16 hex digits: the desk, and who
 * looks at it, without ids, keys and addresses. False for another filter. */
bool desk_door_answers(struct supervisor *supervisor, uint32_t request, const char *filter);

#endif
