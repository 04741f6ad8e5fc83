/* SPDX-License-Identifier: MIT */
#ifndef GATE_HEALTH_H
#define GATE_HEALTH_H

#include "gate/request.h"
#include "ipc/board.h"

/* /healthz, /readyz and /metrics of the web door: answered from the board that the
 * supervisor writes, so that nothing that hangs is waited for. What a silent supervisor
 * means is decided here, by the board's age. */

struct gate;
struct ipc_fds;
struct ipc_message;

enum {
	HEALTH_SILENT_MS = 5000, /* an older board: not ready */
	HEALTH_DEAD_MS = 15000,  /* not even alive: longer than it takes to start another */
};

struct health_verdict {
	int status; /* of HTTP: 200 or 503 */
	char text[300];
};

/* Pure: what to say about a board of that age; state is NULL when there is none. */
struct health_verdict health_alive(const struct board_state *state, uint64_t age_ms);
struct health_verdict health_ready(const struct board_state *state, uint64_t age_ms);

void health_handle_alive(struct request *request);
void health_handle_ready(struct request *request);
void health_handle_metrics(struct request *request);

/* What /readyz says. */
bool health_is_ready(const struct gate *gate);
/* The supervisor's metrics as text (malloc); NULL when there are none yet. */
char *health_figures(const struct gate *gate);

/* BOARD of a supervisor, also of a new one. */
void health_handle_board(struct gate *gate, struct ipc_message *message, struct ipc_fds *fds);

#endif
