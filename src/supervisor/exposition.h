/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_EXPOSITION_H
#define SUPERVISOR_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Writes Prometheus' text form, version 0.0.4: families with their HELP and TYPE lines,
 * samples with escaped labels. Pure: what does not fit is left out, and said by
 * exposition_end(). */

enum exposition_type {
	EXPOSITION_COUNTER,
	EXPOSITION_GAUGE,
	EXPOSITION_HISTOGRAM,
};

enum {
	EXPOSITION_LABELS_MAX = 4,
};

struct exposition_label {
	const char *name, *value; /* borrowed; a name of NULL ends the list */
};

struct exposition {
	struct writer writer;
	size_t size;
	const char *family; /* borrowed, until the next one */
	size_t whole;       /* bytes up to the last line that fitted */
	unsigned samples, families;
};

struct exposition exposition_over(void *buf, size_t size);

/* Begins a family; its samples follow. name and help are literals. */
void exposition_family(struct exposition *out, const char *name, enum exposition_type type,
		const char *help);

/* A sample of the family begun last. labels may be NULL, or ends with a NULL name. */
void exposition_number(
		struct exposition *out, const struct exposition_label *labels, uint64_t value);
/* value in units of 1/scale: nanoseconds with scale 1e9 come out as seconds. */
void exposition_fraction(struct exposition *out, const struct exposition_label *labels,
		uint64_t value, uint64_t scale);

/* A histogram's buckets, sum and count. classes[i] holds what was below bounds[i] (in
 * 1/scale of the unit) and not below the one before; classes[n_bounds] the rest. */
struct exposition_histogram {
	const uint64_t *bounds;
	size_t n_bounds;
	const uint64_t *classes; /* n_bounds + 1 */
	uint64_t sum, scale;
};
void exposition_histogram(struct exposition *out, const struct exposition_label *labels,
		const struct exposition_histogram *histogram);

/* The text's length; always whole lines, also when not everything fitted. */
size_t exposition_end(struct exposition *out);

#endif
