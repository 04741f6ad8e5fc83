/* SPDX-License-Identifier: MIT */
#ifndef CLI_HEALTH_H
#define CLI_HEALTH_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/api.h"

/* What a host says of its own health. */

enum {
	HEALTH_WORDS_MAX = 320,
};

struct health_view {
	bool answers; /* somebody is at the socket */
	bool alive, ready;
	char alive_words[HEALTH_WORDS_MAX], ready_words[HEALTH_WORDS_MAX]; /* a line each */
};

/* Asks /healthz and /readyz. runtime as in api_find(). */
void health_look(const char *runtime, struct health_view *out);

/* "not ready: LEG: words" in parts; empty texts when it is ready or says nothing. */
void health_leg(const struct health_view *view, char *leg, size_t leg_size, char *words,
		size_t words_size);

/* `perigee health`: one line; 0 when it is alive (with ready: when a session can start). */
int health_command(const char *runtime, bool ready);

#endif
