/* SPDX-License-Identifier: MIT */
#ifndef GATE_BUDGET_H
#define GATE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* What the programs on one desktop may ask of the door in all: so much a second, and some at
 * once. Pure. */
enum {
	BUDGET_MOST = 100,
	BUDGET_PER_S = 50,
	BUDGET_ACCEPT = 1,
	BUDGET_REQUEST = 1,
	BUDGET_REST = 10, /* who has spent it waits until there is so much */
	BUDGET_CLIP = 5,
	BUDGET_SHOT = 20, /* a process is started for it */
};

struct budget {
	uint64_t since_us; /* when `left` was so much */
	uint32_t left_milli;
};

void budget_begin(struct budget *budget, uint64_t now_us);

/* Takes so much of it; false when there is less, and then takes nothing. */
bool budget_spend(struct budget *budget, uint32_t cost, uint64_t now_us);

/* When there will be so much. */
uint64_t budget_when(const struct budget *budget, uint32_t cost);

#endif
