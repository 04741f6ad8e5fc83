/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_PARTS_H
#define SUPERVISOR_SESSION_PARTS_H

#include <stdint.h>

#include "base/own.h"

struct desk;

/* The processes that a desk has whether or not anybody watches: desktop,
 * sound server, runner. They are started here and their words are heard here. */

/* Runtime folder, sockets, desktop and sound server. -errno, and what was
 * started is stopped by the desk's end. */
int session_parts_start(struct desk *desk) NODISCARD;

struct child_left;

/* Goes on with one of them that a predecessor started. */
int session_parts_adopt(struct desk *desk, struct child_left *left) NODISCARD;

/* Starts a sound server, and a desktop that may be started again, if there is none and
 * none is about to be. */
void session_parts_mend(struct desk *desk);

/* Asks all of them to stop; harmless when some are gone. */
void session_parts_stop(struct desk *desk, uint32_t reason);
void session_parts_kill(struct desk *desk, uint32_t reason);

/* The desktop is gone: another one with the app, after the wait that its failures
 * have earned. */
void session_parts_restart_desktop(struct desk *desk);

/* Removes what lies on disk and closes what is held. */
void session_parts_finish(struct desk *desk);

#endif
