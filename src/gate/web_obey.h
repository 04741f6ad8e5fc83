/* SPDX-License-Identifier: MIT */
#ifndef GATE_WEB_OBEY_H
#define GATE_WEB_OBEY_H

#include "gate/request.h"

/* POST /api/v1/debug/obey {"worker": N, "order": "...", "argument": "..."}: a test tells
 * a worker what to do (ipc/obey.h); only in a build with -Dobey=true, only on the Unix
 * socket. Answers {"success", "outcome": 0 or errno, "detail"}. */

struct gate;

void web_handle_obey(struct request *request);
void web_handle_obeyed(struct gate *gate, const struct ipc_message *message);

#endif
