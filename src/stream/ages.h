/* SPDX-License-Identifier: MIT */
#ifndef STREAM_AGES_H
#define STREAM_AGES_H

#include <stdint.h>

/* How old the pictures of the last second were: samples, and their median and
 * 99th percentile. More than AGES_MAX a second: the later ones count. */
enum {
	AGES_MAX = 512,
	AGES_HAND_CLASSES = 11, /* PULSE_HAND_CLASSES */
};

struct ages {
	uint32_t count; /* ever since the last ages_take() */
	uint32_t us[AGES_MAX];
};

void ages_add(struct ages *ages, uint64_t ns);

/* Zeros when there was none; empties the samples. */
void ages_take(struct ages *ages, uint32_t *out_p50_us, uint32_t *out_p99_us);

/* The class of PULSE_STREAM_HAND_CLASSES that a picture's hand-overs belong to. */
unsigned ages_hand_class(uint64_t ns);

/* Nanoseconds between two moments, 0 when one is not known or they run backwards. */
static inline uint64_t ages_between(uint64_t begin_ns, uint64_t end_ns) {
	return begin_ns && end_ns > begin_ns ? end_ns - begin_ns : 0;
}

#endif
