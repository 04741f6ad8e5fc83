/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_TOTALS_H
#define SUPERVISOR_TOTALS_H

#include <stdint.h>

#include "ipc/message.h"
#include "ipc/pulse.h"
#include "ipc/reason.h"

struct child;
struct child_end;

/* What became of the processes, over the life of this supervisor: counters go on
 * rising when the process that counted is gone. */

enum {
	/* By kind; sound encoders count as a group of their own. */
	TOTALS_SOUND_ENCODER = PEER_KINDS,
	TOTALS_GROUPS,
};

struct totals {
	uint64_t gone[TOTALS_GROUPS][PULSE_COUNTERS]; /* last counters of the dead, summed */
	uint64_t lag_max_ns[PEER_KINDS];
	uint64_t slow[PEER_KINDS]; /* operations of the gone that took over half their limit */
	uint64_t processor_ns[PEER_KINDS]; /* of the gone */
	uint64_t starts[PEER_KINDS], ends[PEER_KINDS];
	uint64_t incidents[PEER_KINDS][REASONS]; /* ends that nobody asked for */
};

unsigned totals_group(const struct child *child);

/* totals may be NULL: nobody counts. */
void totals_note_start(struct totals *totals, const struct child *child);
void totals_note_end(struct totals *totals, const struct child *child, const struct child_end *end);

#endif
