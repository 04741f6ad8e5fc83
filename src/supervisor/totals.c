/* SPDX-License-Identifier: MIT */
#include "supervisor/totals.h"

#include <string.h>

#include "supervisor/child.h"
#include "supervisor/machine.h"

unsigned totals_group(const struct child *child) {
	bool sound = child->kind == PEER_ENCODER && strcmp(child->name, "sound") == 0;
	return sound ? TOTALS_SOUND_ENCODER : child->kind;
}

void totals_note_start(struct totals *totals, const struct child *child) {
	if (totals) {
		totals->starts[child->kind]++;
	}
}

void totals_note_end(
		struct totals *totals, const struct child *child, const struct child_end *end) {
	if (!totals) {
		return;
	}
	totals->ends[child->kind]++;
	totals->processor_ns[child->kind] += machine_processor_ns(child->pid);
	if (!end->expected) {
		totals->incidents[child->kind][end->reason < REASONS ? end->reason : 0]++;
	}
	if (!child->pulse.map) {
		return;
	}
	struct pulse_view view;
	pulse_look((const struct pulse *)(const void *)child->pulse.map, &view);
	if (view.lag_max_ns > totals->lag_max_ns[child->kind]) {
		totals->lag_max_ns[child->kind] = view.lag_max_ns;
	}
	totals->slow[child->kind] += view.slow;
	uint64_t *gone = totals->gone[totals_group(child)];
	for (unsigned i = 0; i < PULSE_COUNTERS; i++) {
		gone[i] += child_counter(child, i);
	}
}
