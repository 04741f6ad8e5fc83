/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_METRICS_H
#define SUPERVISOR_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "ipc/reason.h"
#include "supervisor/admission.h"
#include "supervisor/totals.h"

struct exposition;
struct supervisor;

/* What the supervisor counts, and all of it in Prometheus' form. Nothing here asks
 * anybody: workers' pages and our own tables are read. */

enum {
	METRICS_LAUNCH_CLASSES = 9,
};

/* What was taken of the machine when last looked, by kind. */
struct metrics_sample {
	uint64_t taken_ms;                            /* 0: never */
	uint64_t own[PEER_KINDS], shared[PEER_KINDS]; /* bytes */
	uint64_t descriptors[PEER_KINDS];
	struct admission_machine machine;
};

struct metrics {
	uint64_t pads_missing[PAD_DEVICES]; /* devices asked for that could not be opened */
	uint64_t pads_hidden;               /* of which no nodes could be made */
	struct totals totals;
	struct metrics_sample sample;
	uint32_t tcp[12]; /* connections by the kernel's number of their state */
	uint64_t launches, streams_begun;
	uint64_t refused[REASONS];        /* launches */
	uint64_t sessions_ended[REASONS]; /* by why; internal ones are not among them */
	uint64_t parted, returned, kept;  /* viewers on bad lines: view_line.c */
	uint64_t launch_classes[METRICS_LAUNCH_CLASSES], launch_ms;

	/* of the writing itself */
	uint64_t written, write_ns, write_max_ns, late_max_ns;
	uint64_t bytes_ns, bytes; /* of streams, when last looked */
	uint64_t bitrate_bps;
	unsigned samples; /* in the newest text */
};

void metrics_note_refused(struct metrics *metrics, uint32_t reason);
void metrics_note_ended(struct metrics *metrics, uint32_t reason);
/* A launch led to its first packet after so long. */
void metrics_note_streaming(struct metrics *metrics, uint64_t launch_ms);

/* Writes everything; returns the length. */
size_t metrics_write(struct supervisor *supervisor, char *text, size_t size);

/* metrics_workers.c: what the workers' pages count. */
void metrics_write_workers(struct supervisor *supervisor, struct exposition *out);

/* metrics_machine.c: what they take of the machine. */
void metrics_write_machine(struct supervisor *supervisor, struct exposition *out);

/* Of a counter: those that live and those that are gone, of a group. */
uint64_t metrics_sum(const struct supervisor *supervisor, unsigned group, unsigned counter);

#endif
