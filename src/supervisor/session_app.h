/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_APP_H
#define SUPERVISOR_SESSION_APP_H

#include <stdint.h>

#include "base/own.h"

struct session;

/* A session's app and the runner that starts, watches and ends it. */

/* Home, environment, runner; the app follows. -errno. */
int session_app_start(struct session *session) NODISCARD;

/* Asks the runner to end the app and itself. */
void session_app_stop(struct session *session, uint32_t reason);

/* Releases what is held. */
void session_app_finish(struct session *session);

#endif
