/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APP_PLAN_H
#define SUPERVISOR_APP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct desk;

/* How a desktop's app is run: what its runner is told, and what confines that. */

/* Where a container finds its home and its desktop's sockets. */
#define APP_PLAN_HOME "/home/retro"
#define APP_PLAN_RUNTIME "/tmp/sockets"

enum runner_type app_plan_type(const struct desk *desk);

bool app_plan_is_container(const struct desk *desk);

/* The row of confine_table.c for its runner; NULL: the kind's. */
const char *app_plan_confine(const struct desk *desk);

/* Whom the files of its app belong to outside: the apps' user; of a container somebody else
 * where the client's settings (or, of a lobby, its maker) say so. */
void app_plan_user(const struct desk *desk, uint32_t *out_uid, uint32_t *out_gid);

/* Listens at a socket of the desktop's that its app, as that user, and the desktop's other
 * processes may reach. */
int app_plan_listen(const struct desk *desk, const char *path) NODISCARD;

/* The path of its X server's socket; empty when there is none. */
void app_plan_x_socket(const struct desk *desk, char *out, size_t size);

/* Fills a RUNNER_PLAN; home is the app's folder outside, goes_on: a runner before this one
 * may have made its container. -E2BIG. */
int app_plan_fill(const struct desk *desk, const char *home, bool goes_on,
		struct ipc_message *out) NODISCARD;

#endif
