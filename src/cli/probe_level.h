/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_LEVEL_H
#define CLI_PROBE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

/* How loud decoded sound is, and how high the tone in it. Pure. */
enum {
	LEVEL_RATE_HZ = 48000,
	LEVEL_KEPT = LEVEL_RATE_HZ, /* samples of the first channel: the last second */
};

struct level {
	double squares;
	uint64_t samples; /* of all channels */
	uint64_t frames;
	float peak;
	float kept[LEVEL_KEPT]; /* a ring */
	size_t next;
};

void level_add(struct level *level, const float *pcm, size_t frames, unsigned channels);

/* Root mean square of full scale; -200 for silence. */
double level_rms_db(const struct level *level);

/* Of the last second, from its zero crossings: right for a single tone. 0 for silence. */
double level_tone_hz(const struct level *level);

#endif
