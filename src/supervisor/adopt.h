/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ADOPT_H
#define SUPERVISOR_ADOPT_H

#include <stdbool.h>

#include "base/own.h"

struct child;
struct ipc_message;
struct supervisor;

/* A supervisor that takes over from one that died. The workers are the truth: they
 * went on, their channels and outputs lie with the holder, and each is asked what it
 * has said and heard. The ledger only adds what no worker knows, as of the end of the
 * last whole event; what its writer had begun after that shows in the answers, and is
 * finished, or undone with a reason. */

/* Goes on with every session and worker in the ledger, which supervisor->ledger is. */
int adopt_all(struct supervisor *supervisor) NODISCARD;

/* I_AM of a worker. missed: it has got orders that the ledger does not know. */
void adopt_answered(struct child *child, const struct ipc_message *message, bool missed);

#endif
