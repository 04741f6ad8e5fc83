/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LAUNCHER_H
#define SUPERVISOR_LAUNCHER_H

#include <stdbool.h>

#include "ipc/message.h"

struct desk;
struct supervisor;

/* Home, which asks for lobbies on behalf of whoever looks at it: its desktop has a socket of
 * its own, in the folder that its app alone sees, at which the web door listens. */
#define LAUNCHER_SOCKET "perigee.sock"

bool launcher_is_on(const struct desk *desk);

/* Makes the socket, in place of one that was there, and hands it to the web door: before the
 * app runs, and for a door that has just come. Does nothing on other desktops. */
void launcher_open(const struct desk *desk);
void launcher_open_all(struct supervisor *supervisor);
/* The desktop is no more. */
void launcher_close(const struct desk *desk);

/* DESK_ASK; false for another kind. */
bool launcher_handle(struct supervisor *supervisor, const struct ipc_message *message);

#endif
