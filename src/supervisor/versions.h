/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_VERSIONS_H
#define SUPERVISOR_VERSIONS_H

#include <stdint.h>

#include "supervisor/programs.h"

struct nursery;
struct supervisor;

/* The versions of Perigee of which something runs: more than one from an upgrade until
 * the last session from before it is over. Their programs lie open with the holder, as
 * vNUMBER.NAME, and which they are in the ledger. */
struct versions {
	struct programs *first;   /* owned list */
	struct programs *current; /* the one that we are, and that new sessions run; borrowed */
};

/* Takes those that a predecessor left with the holder; as the first, opens our own in
 * `folders`. */
int versions_begin(struct supervisor *supervisor, const char *folders) NODISCARD;

/* Writes down in a new ledger what versions_begin() opened, and leaves it with the holder. */
void versions_record(struct supervisor *supervisor);

/* Adds one, with the next number; takes the descriptors. NULL when there is no memory. */
struct programs *versions_add(struct supervisor *supervisor, struct programs *programs);

/* NULL for none. */
const struct programs *versions_find(const struct versions *versions, uint32_t number);

/* What runs the next process of that session: as the rest of it; the current one if there
 * is none. NULL in tests: by the nursery's folders. */
const struct programs *versions_for(const struct nursery *nursery, uint64_t session);

/* Processes that run of that version, corpses among them. */
unsigned versions_count(const struct nursery *nursery, uint32_t number);

/* Lets go of those that nobody runs any more. */
void versions_sweep(struct supervisor *supervisor);

#endif
