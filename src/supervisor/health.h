/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_HEALTH_H
#define SUPERVISOR_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/board.h"

struct child;
struct exposition;
struct sd_event_source;
struct supervisor;

/* Whether this host lives and whether a new session can start: decided here, put on
 * the board (ipc/board.h) once a second and at every change, and read there by the web
 * door. */

enum {
	HEALTH_TICK_MS = 1000,
	HEALTH_SETTLE_MS = 20, /* changes come in bursts: one board for all of them */
	HEALTH_DOWN_MS = 2000, /* a service that is away for less is being started again */
};

struct health {
	struct board_writer board;
	struct sd_event_source *tick; /* owned */
	uint64_t due_us;
	bool alive, ready;
	char leg[BOARD_LEG_SIZE], words[BOARD_WORDS_SIZE];
	uint64_t changed_ms; /* since when it is as it is */
	uint64_t down_ms;    /* since when a needed service is away, 0: none is */
};

/* Needs the event loop and the nursery. */
int health_open(struct supervisor *supervisor) NODISCARD;
void health_close(struct supervisor *supervisor);

/* Gives the web door the board. */
void health_introduce(struct supervisor *supervisor, struct child *child);

/* Something changed that the verdict may depend on: a new board follows soon. */
void health_touch(struct supervisor *supervisor);

/* Its own families. */
void health_write_metrics(struct supervisor *supervisor, struct exposition *out);

#endif
