/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <math.h>
#include <stdlib.h>

#include "cli/probe_level.h"

static struct level *play(double hz, double loud, double seconds, unsigned channels) {
	struct level *level = calloc(1, sizeof(*level));
	for (uint64_t at = 0; at < (uint64_t)(seconds * LEVEL_RATE_HZ); at += 240) {
		float pcm[240 * 8];
		for (uint64_t i = 0; i < 240; i++) {
			for (unsigned c = 0; c < channels; c++) {
				pcm[i * channels + c] =
						(float)(loud * sin(2 * M_PI * hz *
									       (double)(at + i) /
									       LEVEL_RATE_HZ));
			}
		}
		level_add(level, pcm, 240, channels);
	}
	return level;
}

static void a_tone_is_found_with_its_level(void **state) {
	(void)state;
	static const double tones[] = { 55, 440, 1000.5, 5000 };
	for (size_t i = 0; i < sizeof(tones) / sizeof(tones[0]); i++) {
		for (unsigned channels = 2; channels <= 8; channels += 3) {
			struct level *level = play(tones[i], 0.5, 2.5, channels);
			assert_true(fabs(level_tone_hz(level) - tones[i]) < 0.5);
			assert_true(fabs(level_rms_db(level) - 20 * log10(0.5 / sqrt(2))) < 0.1);
			assert_true(fabs((double)level->peak - 0.5) < 0.01);
			free(level);
		}
	}
}

static void silence_and_noise_around_zero_are_no_tone(void **state) {
	(void)state;
	struct level *silence = play(440, 0, 1, 2);
	assert_true(level_tone_hz(silence) == 0);
	assert_true(level_rms_db(silence) == -200);
	free(silence);
	struct level *faint = play(440, 0.001, 1, 2);
	assert_true(level_tone_hz(faint) == 0);
	free(faint);
	struct level nothing = { 0 };
	assert_true(level_tone_hz(&nothing) == 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_tone_is_found_with_its_level),
		UNIT(silence_and_noise_around_zero_are_no_tone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
