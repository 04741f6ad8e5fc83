/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_STRANGERS_H
#define SUPERVISOR_STRANGERS_H

#include "base/own.h"

struct paths;
struct supervisor;

enum {
	STRANGERS_FIRST_MS = 8000, /* who lost a supervisor leaves by itself in this time */
	STRANGERS_AGAIN_MS = 60000,
	STRANGERS_END_MS = 2000, /* for the kernel to end those that are swept */
};

/* Processes of a supervisor that died, which nobody watches any more: one that was stopped
 * when it died cannot leave by itself, nor can what it had started. They are orphans of the
 * holder, named like a worker of ours, and not among those that we know; or they sit in the
 * control group of a session that is not there. Looks for them now and then. */
int strangers_begin(struct supervisor *supervisor) NODISCARD;
/* Ends whatever a host left that had the same folders and was killed together with its
 * holder, and waits until it is gone: what was stopped then, and sound servers, which have
 * no channel to lose. By the labels that all of it inherited. Before anything is started. */
void strangers_sweep(const struct paths *paths);

void strangers_finish(struct supervisor *supervisor);

#endif
