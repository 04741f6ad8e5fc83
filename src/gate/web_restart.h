/* SPDX-License-Identifier: MIT */
#ifndef GATE_WEB_RESTART_H
#define GATE_WEB_RESTART_H

#include "gate/request.h"

struct gate;

/* POST /api/v1/system/restart {"kind": "encoder", "id": "..."}: only on the Unix
 * socket. Answers {"success"} or {"success": false, "error"}. */
void web_handle_restart(struct request *request);
void web_handle_restarted(struct gate *gate, const struct ipc_message *message);
void web_handle_restart_overdue(struct connection *connection);

#endif
