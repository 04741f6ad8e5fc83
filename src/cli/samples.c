/* SPDX-License-Identifier: MIT */
#include "cli/samples.h"

#include <math.h>
#include <stdlib.h>

void samples_add(struct samples *samples, double value) {
	if (samples->count == samples->capacity) {
		size_t capacity = samples->capacity ? samples->capacity * 2 : 1024;
		float *more = samples->capacity < SAMPLES_MAX
					      ? realloc(samples->value, capacity * sizeof(*more))
					      : NULL;
		if (!more) {
			samples->left_out++;
			return;
		}
		samples->value = more;
		samples->capacity = capacity;
	}
	samples->value[samples->count++] = (float)value;
}

void samples_finish(struct samples *samples) {
	free(samples->value);
	*samples = (struct samples){ 0 };
}

static int ascending(const void *a, const void *b) {
	float x = *(const float *)a;
	float y = *(const float *)b;
	return (x > y) - (x < y);
}

double samples_percentile(struct samples *samples, double share) {
	if (samples->count == 0) {
		return 0;
	}
	qsort(samples->value, samples->count, sizeof(*samples->value), ascending);
	double place = ceil(share * (double)samples->count) - 1;
	size_t index = place > 0 ? (size_t)place : 0;
	return (double)samples->value[index < samples->count ? index : samples->count - 1];
}

double samples_mean(const struct samples *samples) {
	double sum = 0;
	for (size_t i = 0; i < samples->count; i++) {
		sum += (double)samples->value[i];
	}
	return samples->count ? sum / (double)samples->count : 0;
}

double samples_minimum(const struct samples *samples) {
	double least = samples->count ? (double)samples->value[0] : 0;
	for (size_t i = 1; i < samples->count; i++) {
		least = fmin(least, (double)samples->value[i]);
	}
	return least;
}
