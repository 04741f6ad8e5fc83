/* SPDX-License-Identifier: MIT */
#ifndef GATE_RTSP_H
#define GATE_RTSP_H

#include "gate/connection.h"
#include "ipc/message.h"

/* RTSP: one request a connection, answered and closed. A sealed request finds its session
 * by the key that opens it, a plain one by the address that it comes from. */

struct gate;

extern const struct connection_class rtsp_class;

void rtsp_handle_announced(struct gate *gate, const struct ipc_message *message);

/* A connection of AWAITS_ANNOUNCED: late, or gone. */
void rtsp_handle_overdue(struct connection *connection);
void rtsp_handle_gone(struct connection *connection);

#endif
