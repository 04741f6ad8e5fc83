/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_OWN_LOG_H
#define SUPERVISOR_OWN_LOG_H

#include "base/own.h"

struct supervisor;

/* The supervisor's own lines take the way of everybody's: its stderr is a pipe that comes
 * back to it, and all lines go to perigee-log. */

/* Goes on with a predecessor's perigee-log, or starts one. */
int own_log_open(struct supervisor *supervisor) NODISCARD;

/* Another perigee-log, of our version; the one before ends when it has read all. */
void own_log_renew(struct supervisor *supervisor);

/* Takes the lines that have come back so far. */
void own_log_drain(struct supervisor *supervisor);

#endif
