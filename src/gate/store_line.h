/* SPDX-License-Identifier: MIT */
#ifndef GATE_STORE_LINE_H
#define GATE_STORE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct channel;

/* What was asked of the store and is not answered yet. A store that dies takes nothing
 * with it: the next one is asked again, until a request's deadline. Asking twice does
 * no harm: who is there is not added again, and who is gone cannot be removed. */
enum {
	STORE_LINE_MAX = 8,
};

struct store_line {
	struct {
		struct ipc_message message;
		uint64_t deadline_ms;
	} waiting[STORE_LINE_MAX]; /* oldest first */
	unsigned count;
};

/* False when too many wait. */
bool store_line_add(struct store_line *line, const struct ipc_message *message,
		uint64_t deadline_ms) NODISCARD;

/* Its answer came. */
void store_line_answered(struct store_line *line, uint32_t request);

/* Asks a new store for everything whose deadline has not passed; the rest is forgotten. */
void store_line_repeat(struct store_line *line, struct channel *channel, uint64_t now_ms);

#endif
