/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_SESSION_APP_H
#define SUPERVISOR_SESSION_APP_H

#include <stdint.h>

#include "base/own.h"

struct app;
struct child;
struct child_left;
struct child_owner;
struct desk;
struct supervisor;

/* A desk's app and the runner that starts, watches and ends it. */

/* Home, environment, runner; the app follows. -errno. */
int session_app_start(struct desk *desk) NODISCARD;

/* Another app on that desk, in its own app's home: a runner, and what it is to run. Whose the
 * runner is, is said by owner and user; view as of a child_spec. extra is a number of its own,
 * not 0, which its container is called by. -errno. */
int session_app_spawn(const struct desk *desk, const struct app *app, uint32_t extra,
		const struct child_owner *owner, void *user, uint32_t view,
		struct child **out) NODISCARD;

/* The engine fetches an app's image: RUNNER_PULL of its runner, as an event. */
void session_app_tell_image(const struct desk *desk, const struct app *app, const char *detail);

/* Goes on with the runner that a predecessor started. */
int session_app_adopt(struct desk *desk, struct child_left *left) NODISCARD;

/* What the predecessor held of the app. */
void session_app_restore(struct desk *desk);

/* Asks the runner to end the app and itself. */
void session_app_stop(struct desk *desk, uint32_t reason);

/* The holder, whose orphans apps become with their runner's death, has reaped one. */
void session_app_reaped(struct supervisor *supervisor, uint32_t pid, int status);

/* The app's desktop is gone, and so is its use: it and its runner end, and nothing that
 * they still say matters. */
void session_app_abandon(struct desk *desk);

/* Releases what is held. */
void session_app_finish(struct desk *desk);

#endif
