/* SPDX-License-Identifier: MIT */
#include "supervisor/breaker.h"

/* When the next trial is due. */
enum wait {
	WAIT_KEEP,   /* as it was */
	WAIT_NEVER,  /* until something happens */
	WAIT_PERIOD, /* a proof is fresh */
	WAIT_RETRY,  /* longer with every failure */
	WAIT_NONE,   /* at once */
	WAIT_SOON,   /* at once, but not sooner than allowed after the last one */
};

struct step {
	enum breaker_action action;
	enum breaker_state next;
	enum wait wait;
};

/* clang-format off */
/* A cell left out is BREAKER_REFUSE. */
static const struct step steps[BREAKER_STATES][BREAKER_EVENTS] = {
	[BREAKER_CLOSED] = {
		[BREAKER_DUE]       = { BREAKER_TRY,    BREAKER_PROVING, WAIT_NEVER },
		[BREAKER_PROVEN]    = { BREAKER_NOTE,   BREAKER_CLOSED,  WAIT_PERIOD },
		[BREAKER_SUSPECTED] = { BREAKER_NOTE,   BREAKER_CLOSED,  WAIT_SOON },
		[BREAKER_MISSING]   = { BREAKER_TRIP,   BREAKER_DOWN,    WAIT_NEVER },
		[BREAKER_BACK]      = { .action = BREAKER_IGNORE },
		[BREAKER_PASSED]    = { .action = BREAKER_IGNORE },
		[BREAKER_FAILED]    = { .action = BREAKER_IGNORE },
		[BREAKER_VOID]      = { .action = BREAKER_IGNORE },
	},
	[BREAKER_PROVING] = {
		[BREAKER_PASSED]    = { BREAKER_NOTE,   BREAKER_CLOSED,  WAIT_PERIOD },
		[BREAKER_FAILED]    = { BREAKER_TRIP,   BREAKER_OPEN,    WAIT_RETRY },
		[BREAKER_VOID]      = { BREAKER_NOTE,   BREAKER_CLOSED,  WAIT_RETRY },
		[BREAKER_MISSING]   = { BREAKER_DROP,   BREAKER_DOWN,    WAIT_NEVER },
		[BREAKER_DUE]       = { .action = BREAKER_IGNORE },
		[BREAKER_PROVEN]    = { .action = BREAKER_IGNORE },
		[BREAKER_SUSPECTED] = { .action = BREAKER_IGNORE },
		[BREAKER_BACK]      = { .action = BREAKER_IGNORE },
	},
	[BREAKER_OPEN] = {
		[BREAKER_DUE]       = { BREAKER_TRY,    BREAKER_TRYING,  WAIT_NEVER },
		[BREAKER_PROVEN]    = { BREAKER_CLOSE,  BREAKER_CLOSED,  WAIT_PERIOD },
		[BREAKER_MISSING]   = { BREAKER_NOTE,   BREAKER_DOWN,    WAIT_NEVER },
		[BREAKER_SUSPECTED] = { .action = BREAKER_IGNORE },
		[BREAKER_BACK]      = { .action = BREAKER_IGNORE },
		[BREAKER_PASSED]    = { .action = BREAKER_IGNORE },
		[BREAKER_FAILED]    = { .action = BREAKER_IGNORE },
		[BREAKER_VOID]      = { .action = BREAKER_IGNORE },
	},
	[BREAKER_TRYING] = {
		[BREAKER_PASSED]    = { BREAKER_CLOSE,  BREAKER_CLOSED,  WAIT_PERIOD },
		[BREAKER_FAILED]    = { BREAKER_NOTE,   BREAKER_OPEN,    WAIT_RETRY },
		[BREAKER_VOID]      = { BREAKER_NOTE,   BREAKER_OPEN,    WAIT_RETRY },
		[BREAKER_PROVEN]    = { BREAKER_CLOSE,  BREAKER_PROVING, WAIT_NEVER },
		[BREAKER_MISSING]   = { BREAKER_DROP,   BREAKER_DOWN,    WAIT_NEVER },
		[BREAKER_DUE]       = { .action = BREAKER_IGNORE },
		[BREAKER_SUSPECTED] = { .action = BREAKER_IGNORE },
		[BREAKER_BACK]      = { .action = BREAKER_IGNORE },
	},
	[BREAKER_DOWN] = {
		[BREAKER_BACK]      = { BREAKER_NOTE,   BREAKER_OPEN,    WAIT_NONE },
		[BREAKER_DUE]       = { .action = BREAKER_IGNORE },
		[BREAKER_PROVEN]    = { .action = BREAKER_IGNORE },
		[BREAKER_SUSPECTED] = { .action = BREAKER_IGNORE },
		[BREAKER_MISSING]   = { .action = BREAKER_IGNORE },
		[BREAKER_PASSED]    = { .action = BREAKER_IGNORE },
		[BREAKER_FAILED]    = { .action = BREAKER_IGNORE },
		[BREAKER_VOID]      = { .action = BREAKER_IGNORE },
	},
};

static const char *const names[BREAKER_STATES] = {
	[BREAKER_CLOSED] = "closed", [BREAKER_PROVING] = "proving", [BREAKER_OPEN] = "open",
	[BREAKER_TRYING] = "trying", [BREAKER_DOWN] = "down",
};
/* clang-format on */

const char *breaker_state_name(enum breaker_state state) {
	return names[state];
}

struct breaker breaker_begin(uint64_t first_ms, uint32_t period_ms) {
	return (struct breaker){ .next_ms = first_ms, .period_ms = period_ms };
}

static uint64_t retry_ms(uint32_t failures) {
	uint32_t shift = failures > 0 ? failures - 1 : 0;
	uint64_t wait_ms = (uint64_t)BREAKER_RETRY_MS << (shift < 8 ? shift : 8);
	return wait_ms < BREAKER_RETRY_MAX_MS ? wait_ms : BREAKER_RETRY_MAX_MS;
}

static uint64_t soon_ms(const struct breaker *breaker, uint64_t now_ms) {
	uint64_t allowed_ms = breaker->tried_ms ? breaker->tried_ms + BREAKER_SUSPECT_MS : now_ms;
	uint64_t soon_ms = allowed_ms > now_ms ? allowed_ms : now_ms;
	return breaker->next_ms && breaker->next_ms < soon_ms ? breaker->next_ms : soon_ms;
}

static void plan(struct breaker *breaker, enum wait wait, uint64_t now_ms) {
	switch (wait) {
	case WAIT_KEEP:
		break;
	case WAIT_NEVER:
		breaker->next_ms = 0;
		break;
	case WAIT_PERIOD:
		breaker->next_ms = now_ms + breaker->period_ms;
		break;
	case WAIT_RETRY:
		breaker->next_ms = now_ms + retry_ms(breaker->failures);
		break;
	case WAIT_NONE:
		breaker->next_ms = now_ms;
		break;
	case WAIT_SOON:
		breaker->next_ms = soon_ms(breaker, now_ms);
		break;
	}
}

enum breaker_action breaker_step(
		struct breaker *breaker, enum breaker_event event, uint64_t now_ms) {
	const struct step *step = &steps[breaker->state][event];
	if (step->action <= BREAKER_IGNORE) {
		return step->action;
	}
	if (event == BREAKER_FAILED || event == BREAKER_VOID) {
		breaker->failures++;
	} else if (event == BREAKER_PASSED || event == BREAKER_PROVEN) {
		breaker->failures = 0;
	}
	if (step->action == BREAKER_TRY) {
		breaker->tried_ms = now_ms;
	}
	breaker->state = step->next;
	plan(breaker, step->wait, now_ms);
	return step->action;
}

bool breaker_refuses(const struct breaker *breaker) {
	return breaker->state >= BREAKER_OPEN;
}
