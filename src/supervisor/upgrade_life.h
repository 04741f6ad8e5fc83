/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_UPGRADE_LIFE_H
#define SUPERVISOR_UPGRADE_LIFE_H

/* How far an upgrade is: a pure table. Two supervisors take part, and a third when the
 * second fails; what the first knew the others find in the ledger. */

enum upgrade_phase {
	UPGRADE_NONE,     /* there was none yet */
	UPGRADE_CHECKING, /* the new version is asked whether it can; nothing is touched */
	UPGRADE_HANDING,  /* the old supervisor leaves */
	UPGRADE_TAKING,   /* the new one replaces what serves all sessions */
	UPGRADE_DONE,     /* it is ready */
	UPGRADE_BACK,     /* it was not: the old version goes on */
	UPGRADE_PHASES,
};

enum upgrade_event {
	UPGRADE_ASKED,   /* somebody wants one */
	UPGRADE_FITS,    /* the new version can, and is to */
	UPGRADE_UNFIT,   /* it cannot, or was only asked */
	UPGRADE_ARRIVED, /* this supervisor is the new version's */
	UPGRADE_STAYED,  /* this supervisor is still, or again, the old version's */
	UPGRADE_READY,   /* everything that serves all sessions is of this version */
	UPGRADE_EVENTS,
};

enum upgrade_action {
	UPGRADE_REFUSE, /* not now */
	UPGRADE_IGNORE,
	UPGRADE_CHECK,
	UPGRADE_HAND_OVER,
	UPGRADE_ANSWER,
	UPGRADE_TAKE_OVER,
	UPGRADE_GO_BACK,
	UPGRADE_FINISH,
};

/* phase: of the newest upgrade; what it was before one was only checked is the caller's. */
enum upgrade_action upgrade_step(enum upgrade_phase *phase, enum upgrade_event event);

const char *upgrade_phase_name(enum upgrade_phase phase);

#endif
