/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_SWEEP_H
#define RUNNER_SWEEP_H

#include "runner/container_json.h"

struct engine;
struct ipc_message;
struct worker;

/* Removes the containers of sessions that are no more. Loop thread only. */
struct sweep {
	struct engine *engine; /* borrowed */
	struct worker *worker; /* borrowed: it ends when all is swept */
	struct container_row rows[CONTAINER_LIST_MAX];
	unsigned rows_count, removals; /* removals: under way */
};

/* RUNNER_SWEEP: the first one lists what there is and asks by RUNNER_LISTED whose sessions
 * live by now, which the second one says. For a struct of zeros. */
void sweep_go_on(struct sweep *sweep, struct engine *engine, struct worker *worker,
		const struct ipc_message *message);

#endif
