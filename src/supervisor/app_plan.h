/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APP_PLAN_H
#define SUPERVISOR_APP_PLAN_H

#include <stddef.h>

#include "base/own.h"
#include "ipc/message.h"

struct desk;

/* How a desktop's app is run: what its runner is told, and what confines that. */

enum runner_type app_plan_type(const struct desk *desk);

/* The row of confine_table.c for its runner; NULL: the kind's. */
const char *app_plan_confine(const struct desk *desk);

/* The path of its X server's socket; empty when there is none. */
void app_plan_x_socket(const struct desk *desk, char *out, size_t size);

/* Fills a RUNNER_PLAN; -E2BIG. */
int app_plan_fill(const struct desk *desk, struct ipc_message *out) NODISCARD;

#endif
