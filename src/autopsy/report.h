/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_REPORT_H
#define AUTOPSY_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "autopsy/subject.h"
#include "ipc/pulse.h"

/* What was found, as far as it goes: the summary is written early and again at the end. */
struct findings {
	bool has_pulse;
	struct pulse pulse; /* a copy */
	unsigned threads, threads_stopped;
	int trace_error;
	uint64_t held_us;
	char place[200];         /* the innermost function of ours in the main thread */
	char state[80];          /* of the main thread, as the kernel names it */
	char core[160];          /* what became of it, "" for none */
	char lines[80];          /* how many of its log lines there are */
	unsigned long oom_kills; /* in its session's control group */
	bool complete;
};

void report_write_pulse(const struct findings *findings, const char *kind, FILE *file);

/* What a person reads first. */
void report_write_summary(
		const struct subject *subject, const struct findings *findings, FILE *file);

#endif
