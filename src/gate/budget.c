/* SPDX-License-Identifier: MIT */
#include "gate/budget.h"

enum {
	MILLI = 1000,
	US_PER_MILLI = 1000000 / MILLI / BUDGET_PER_S,
};

void budget_begin(struct budget *budget, uint64_t now_us) {
	*budget = (struct budget){ .since_us = now_us, .left_milli = BUDGET_MOST * MILLI };
}

static void refill(struct budget *budget, uint64_t now_us) {
	uint64_t more = now_us > budget->since_us ? (now_us - budget->since_us) / US_PER_MILLI : 0;
	if (more >= BUDGET_MOST * MILLI - budget->left_milli) {
		budget_begin(budget, now_us);
		return;
	}
	budget->left_milli += (uint32_t)more;
	budget->since_us += more * US_PER_MILLI; /* what is less than one is not lost */
}

bool budget_spend(struct budget *budget, uint32_t cost, uint64_t now_us) {
	refill(budget, now_us);
	if (budget->left_milli < cost * MILLI) {
		return false;
	}
	budget->left_milli -= cost * MILLI;
	return true;
}

uint64_t budget_when(const struct budget *budget, uint32_t cost) {
	uint32_t wanted = cost * MILLI;
	return budget->left_milli >= wanted
			       ? budget->since_us
			       : budget->since_us + (uint64_t)(wanted - budget->left_milli) *
								    US_PER_MILLI;
}
