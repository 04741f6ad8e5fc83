/* SPDX-License-Identifier: MIT */
#include "cli/probe_level.h"

#include <math.h>

static const double silence_db = -200;
static const float hysteresis = 0.002F; /* noise around zero is no crossing */

void level_add(struct level *level, const float *pcm, size_t frames, unsigned channels) {
	for (size_t i = 0; i < frames * channels; i++) {
		level->squares += (double)pcm[i] * (double)pcm[i];
		level->peak = fmaxf(level->peak, fabsf(pcm[i]));
	}
	for (size_t i = 0; i < frames; i++) {
		level->kept[level->next] = pcm[i * channels];
		level->next = (level->next + 1) % LEVEL_KEPT;
	}
	level->samples += frames * channels;
	level->frames += frames;
}

double level_rms_db(const struct level *level) {
	if (level->samples == 0 || level->squares <= 0) {
		return silence_db;
	}
	return fmax(silence_db, 10 * log10(level->squares / (double)level->samples));
}

double level_tone_hz(const struct level *level) {
	size_t count = level->frames < LEVEL_KEPT ? (size_t)level->frames : LEVEL_KEPT;
	size_t start = level->frames < LEVEL_KEPT ? 0 : level->next;
	double first = 0, last = 0;
	uint64_t crossings = 0;
	int below = 0;
	for (size_t i = 1; i < count; i++) {
		float before = level->kept[(start + i - 1) % LEVEL_KEPT];
		float now = level->kept[(start + i) % LEVEL_KEPT];
		below = now < -hysteresis ? 1 : below;
		if (!below || now < 0 || before >= 0) {
			continue;
		}
		below = 0;
		/* Where between the two samples it was zero. */
		last = (double)(i - 1) + (double)before / (double)(before - now);
		first = crossings == 0 ? last : first;
		crossings++;
	}
	return crossings < 2 ? 0 : (double)(crossings - 1) * LEVEL_RATE_HZ / (last - first);
}
