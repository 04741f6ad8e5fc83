/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_STRANGERS_H
#define SUPERVISOR_STRANGERS_H

#include "base/own.h"

struct supervisor;

enum {
	STRANGERS_FIRST_MS = 8000, /* who lost a supervisor leaves by itself in this time */
	STRANGERS_AGAIN_MS = 60000,
};

/* Processes of a supervisor that died, which nobody watches any more: one that was stopped
 * when it died cannot leave by itself, nor can what it had started. They are orphans of the
 * holder, named like a worker of ours, and not among those that we know; or they sit in the
 * control group of a session that is not there. Looks for them now and then. */
int strangers_begin(struct supervisor *supervisor) NODISCARD;
void strangers_finish(struct supervisor *supervisor);

#endif
