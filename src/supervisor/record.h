/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_RECORD_H
#define SUPERVISOR_RECORD_H

#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

struct desk;
struct session;
struct supervisor;

/* Writes down, in the ledger and with the holder, what a supervisor that takes over
 * must know and have. After every event what has changed is written, so a record
 * says how things were when the last whole event was over; what a killed supervisor
 * had begun after that is found out by asking the workers (adopt.h). */

/* Begins an empty ledger and leaves it with the holder, with the sockets and the
 * used keys. */
int record_begin(struct supervisor *supervisor) NODISCARD;

/* Goes on with the ledger that is there. */
int record_resume(struct supervisor *supervisor) NODISCARD;
void record_end(struct supervisor *supervisor);

/* It is not as its record says any more; a desk's encodings and its Notice. */
void record_touch(struct session *session);
void record_touch_desk(struct desk *desk);

/* Writes everything that was touched, now: before something leaves that cannot be
 * taken back. */
void record_flush(struct supervisor *supervisor);

/* A message that a successor wants to hear as it was, as record `id` of its kind. */
void record_note(struct supervisor *supervisor, uint64_t id, const struct ipc_message *message);

void record_drop(struct supervisor *supervisor, enum ipc_kind kind, uint64_t id);

/* It is over. */
void record_forget_session(struct session *session);

#endif
