/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_TELL_H
#define SUPERVISOR_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/message.h"

struct desk;
struct session;
struct udev_device;
struct supervisor;

/* What the web door is told, so that it can answer programs from memory and tell them
 * what happens. Of the readiness trial's sessions nothing is told. */

/* A session's row as it is now. */
void tell_session(const struct session *session);

/* Something happened to a session. detail may be NULL. */
void tell_event(const struct session *session, enum ipc_event event, int32_t number,
		const char *detail);
void tell_desk_event(
		const struct desk *desk, enum ipc_event event, int32_t number, const char *detail);
/* A gamepad's device node came to the desk's app, or went. */
void tell_pad(const struct desk *desk, const struct udev_device *device, bool added);
/* Its viewer sees that desk from now on. */
void tell_switched(const struct session *session, const struct desk *desk);
/* A ping of a flow came from there. */
void tell_ping(const struct session *session, enum ipc_flow flow, const struct address *address);

/* The engine fetches an image for an app of that desk, or 0. event is a TOLD_PULL_. */
void tell_pull(struct supervisor *supervisor, uint64_t desk, enum ipc_event event, bool well,
		const char *image);

/* Incidents that were not told yet. */
void tell_incidents(struct supervisor *supervisor);
/* The host can start sessions again, or no more. */
void tell_health(struct supervisor *supervisor);

#endif
