/* SPDX-License-Identifier: MIT */
#ifndef CLI_SAMPLES_H
#define CLI_SAMPLES_H

#include <stddef.h>

/* Measurements in the order they were made, for percentiles at the end. Zero
 * initialised; beyond SAMPLES_MAX they are only counted. */
enum {
	SAMPLES_MAX = 1 << 22,
};

struct samples {
	float *value; /* owned */
	size_t count, capacity;
	size_t left_out;
};

void samples_add(struct samples *samples, double value);
void samples_finish(struct samples *samples);

/* The value that `share` (0 to 1) of the samples do not exceed; 0 for none. Sorts
 * the samples: their order is lost. */
double samples_percentile(struct samples *samples, double share);

double samples_mean(const struct samples *samples);
double samples_minimum(const struct samples *samples);

#endif
