/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LAUNCHER_H
#define SUPERVISOR_LAUNCHER_H

#include <stdbool.h>

#include "ipc/message.h"

struct desk;
struct supervisor;

/* Home, which asks for lobbies on behalf of whoever looks at it, by its desktop's own socket
 * (desk_door.h): there alone the web door answers what a launcher asks. */
bool launcher_is_on(const struct desk *desk);

/* DESK_ASK, DESK_PROFILE; false for another kind. */
bool launcher_handle(struct supervisor *supervisor, const struct ipc_message *message);

/* The profile is gone, or its PIN may be another one: who gave it gives it again. */
void launcher_forget_profile(struct supervisor *supervisor, const char *profile);

#endif
