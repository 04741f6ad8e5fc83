/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LOBBY_H
#define SUPERVISOR_LOBBY_H

struct ipc_message;
struct supervisor;

/* What the web door asks of lobbies: LOBBY_CREATE, JOIN, LEAVE, STOP, KICK, ROLE.
 * Each gets one answer. Other kinds are no business of ours and are ignored. */
void lobby_handle(struct supervisor *supervisor, const struct ipc_message *message);

#endif
