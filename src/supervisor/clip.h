/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CLIP_H
#define SUPERVISOR_CLIP_H

#include <stdbool.h>

#include "ipc/channel.h"
#include "ipc/message.h"

struct desk;
struct supervisor;

/* Desktops' clipboards for programs: the supervisor decides whether it may be, and passes on
 * what it does not look at. */

/* CLIP_GET and CLIP_SET of the web door; false for another kind. */
bool clip_ask(struct supervisor *supervisor, const struct ipc_message *message,
		struct ipc_fds *fds);

/* CLIP and CLIP_DONE of a desktop; false for another kind. */
bool clip_answer(const struct desk *desk, struct ipc_message *message, struct ipc_fds *fds);

#endif
