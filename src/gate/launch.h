/* SPDX-License-Identifier: MIT */
#ifndef GATE_LAUNCH_H
#define GATE_LAUNCH_H

#include "gate/request.h"
#include "ipc/message.h"

/* /launch, /resume and /cancel: asked of the supervisor, answered when it says so. */

struct gate;

void launch_handle(struct request *request);
void launch_handle_resume(struct request *request);
void launch_handle_cancel(struct request *request);

/* SESSION_COMING: answered once a viewer with that key is let in. */
void launch_handle_coming(struct gate *gate, const struct ipc_message *message);
void launch_handle_launched(struct gate *gate, const struct ipc_message *message);
void launch_handle_cancelled(struct gate *gate, const struct ipc_message *message);

/* The client of a waiting launch is gone, or is answered. */
void launch_forget(struct connection *connection);

#endif
