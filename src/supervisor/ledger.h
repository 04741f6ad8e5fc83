/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LEDGER_H
#define SUPERVISOR_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "base/shm.h"
#include "ipc/message.h"

/* What a supervisor that takes over cannot ask any worker: who the client is, which
 * app, which launch with which key, what waits for an answer until when. It lies in
 * a memfd that the holder keeps, never on disk, and is left out of core dumps. Each
 * record is a message of the catalogue, so that one release understands the next,
 * named by its kind and a number. SIGKILL may strike between any two stores: a
 * reader then finds the record as it was before, or as it is now. One writer. */

enum {
	LEDGER_LAYOUT = 2,
	LEDGER_RECORDS = 2048,
	LEDGER_CONTENT_MAX = 2016, /* bytes of an encoded record */
};

struct ledger_key {
	uint32_t kind; /* enum ipc_kind; 0: free */
	uint64_t id;
};

struct ledger {
	struct shm shm;
	struct ledger_key keys[LEDGER_RECORDS]; /* our own index of what is in use */
	size_t used;                            /* slots below this may be in use */
};

int ledger_create(struct ledger *out) NODISCARD;

/* Takes fd on success. -EPROTO for another layout. */
int ledger_open(int fd, struct ledger *out) NODISCARD;
void ledger_finish(struct ledger *ledger);

/* Writes the record `id` of the message's kind, if it differs from what is there.
 * -ENOSPC when there are too many, or it is too long. */
int ledger_put(struct ledger *ledger, uint64_t id, const struct ipc_message *message) NODISCARD;

/* Wipes it; harmless when there is none. */
void ledger_drop(struct ledger *ledger, enum ipc_kind kind, uint64_t id);

/* -ENOENT when there is none that is whole. */
int ledger_get(const struct ledger *ledger, enum ipc_kind kind, uint64_t id,
		struct ipc_message *out) NODISCARD;

/* The next record of the kind; *cursor starts at 0. -ENOENT at the end. */
int ledger_next(const struct ledger *ledger, enum ipc_kind kind, size_t *cursor, uint64_t *out_id,
		struct ipc_message *out) NODISCARD;

#endif
