/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_OUTPUT_H
#define RUNNER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What an app prints, cut into lines: a limited number of them is for the log, the
 * last ones are kept for whoever asks why the app ended. Knows no descriptor and
 * no clock. */

enum {
	OUTPUT_LINE_MAX = 240, /* the rest of a longer line is left out */
	OUTPUT_LAST_MAX = 400,
	OUTPUT_BURST = 50,
	OUTPUT_PER_S = 10,
};

struct output {
	char line[OUTPUT_LINE_MAX + 1]; /* the unfinished one */
	size_t line_len;
	char last[OUTPUT_LAST_MAX]; /* whole lines, the newest at the end */
	unsigned count;             /* of lines so far */
	uint64_t refilled_ns;
	unsigned tokens;  /* lines that may be logged now */
	unsigned skipped; /* lines that were not, since the last that was */
	/* A line for the log; skipped is how many before it were left out. */
	void (*log)(void *user, const char *line, unsigned skipped);
	void *user; /* borrowed */
};

void output_init(struct output *output, uint64_t now_ns,
		void (*log)(void *user, const char *line, unsigned skipped), void *user);

/* Control characters and what is not UTF-8 become '?'. */
void output_add(struct output *output, const void *bytes, size_t len, uint64_t now_ns);

/* The app has ended: an unfinished line counts as one. */
void output_end(struct output *output, uint64_t now_ns);

#endif
