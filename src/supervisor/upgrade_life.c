/* SPDX-License-Identifier: MIT */
#include "supervisor/upgrade_life.h"

struct step {
	enum upgrade_action action;
	enum upgrade_phase next;
};

/* clang-format off */
/* A cell left out is UPGRADE_REFUSE. */
static const struct step steps[UPGRADE_PHASES][UPGRADE_EVENTS] = {
	[UPGRADE_NONE] = {
		[UPGRADE_ASKED]   = { UPGRADE_CHECK,     UPGRADE_CHECKING },
		[UPGRADE_ARRIVED] = { .action = UPGRADE_IGNORE },
		[UPGRADE_STAYED]  = { .action = UPGRADE_IGNORE },
	},
	[UPGRADE_CHECKING] = {
		[UPGRADE_FITS]    = { UPGRADE_HAND_OVER, UPGRADE_HANDING },
		[UPGRADE_UNFIT]   = { UPGRADE_ANSWER,    UPGRADE_NONE },
	},
	[UPGRADE_HANDING] = {
		[UPGRADE_ARRIVED] = { UPGRADE_TAKE_OVER, UPGRADE_TAKING },
		[UPGRADE_STAYED]  = { UPGRADE_GO_BACK,   UPGRADE_BACK },
	},
	[UPGRADE_TAKING] = {
		[UPGRADE_ARRIVED] = { UPGRADE_TAKE_OVER, UPGRADE_TAKING },
		[UPGRADE_STAYED]  = { UPGRADE_GO_BACK,   UPGRADE_BACK },
		[UPGRADE_READY]   = { UPGRADE_FINISH,    UPGRADE_DONE },
	},
	[UPGRADE_DONE] = {
		[UPGRADE_ASKED]   = { UPGRADE_CHECK,     UPGRADE_CHECKING },
		[UPGRADE_ARRIVED] = { .action = UPGRADE_IGNORE },
		/* It said so to the ledger and died before it said so to the holder. */
		[UPGRADE_STAYED]  = { UPGRADE_GO_BACK,   UPGRADE_BACK },
	},
	[UPGRADE_BACK] = {
		[UPGRADE_ASKED]   = { UPGRADE_CHECK,     UPGRADE_CHECKING },
		[UPGRADE_ARRIVED] = { .action = UPGRADE_IGNORE },
		[UPGRADE_STAYED]  = { .action = UPGRADE_IGNORE },
	},
};
/* clang-format on */

enum upgrade_action upgrade_step(enum upgrade_phase *phase, enum upgrade_event event) {
	const struct step *step = &steps[*phase][event];
	if (step->action > UPGRADE_IGNORE) {
		*phase = step->next;
	}
	return step->action;
}

const char *upgrade_phase_name(enum upgrade_phase phase) {
	static const char *const names[UPGRADE_PHASES] = { "none", "checking", "handing over",
		"taking over", "done", "went back" };
	return phase < UPGRADE_PHASES ? names[phase] : "none";
}
