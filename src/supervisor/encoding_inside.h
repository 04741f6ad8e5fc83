/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_ENCODING_INSIDE_H
#define SUPERVISOR_ENCODING_INSIDE_H

#include "base/own.h"
#include "supervisor/encoding.h"

/* Between encoding.c, which makes and ends encodings, encoding_orders.c, which says
 * what they are to do, encoding_raise.c, which gives one more, encoding_succeed.c, which replaces
 * what dies, and encoding_record.c. Nobody else includes this. */

/* In a desk's list, without a process. NULL without memory. */
struct encoding *encoding_make(struct desk *desk, enum encoding_kind kind, uint32_t id);

int encoding_spawn(struct encoding *encoding) NODISCARD;

/* Its orders, if it is opened. */
int encoding_order(struct encoding *encoding) NODISCARD;

/* The kind that encodes now is not to be used again here; false when there is no other. */
bool encoding_give_up_kind(struct encoding *encoding);

/* Spawns one that is down, with its orders. */
void encoding_start(struct encoding *encoding);

/* Its process is gone for good: its successor is started, or its viewers are told. */
void encoding_ended(struct encoding *encoding, const struct child_end *end);

/* The same for all of a desk that a single viewer is left on. */
void encodings_raise(struct desk *desk);

/* Ends its process and starts another, as when it dies, but nobody misses it as lost. */
void encoding_again(struct encoding *encoding);

/* ENCODER_RATED: its bit stream has that rate now. */
void encoding_rated(struct encoding *encoding, uint32_t kbps);

/* Leaves its ring with the holder, or takes it away; its record is to be written. */
void encoding_keep(struct encoding *encoding);
void encoding_forget(struct encoding *encoding);

#endif
