/* SPDX-License-Identifier: MIT */
#ifndef IPC_OBEY_FAULTS_H
#define IPC_OBEY_FAULTS_H

#include <stddef.h>

struct obey_order;

/* Orders that make a worker fail as programs have failed in production. Each is named
 * after what happened; docs/reliability.md says what excludes it here and what a viewer
 * sees. Only a build with -Dobey=true has them. */
const struct obey_order *obey_fault(const char *name);

#endif
