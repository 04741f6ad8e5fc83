/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <math.h>
#include <string.h>

#include <opus/opus_multistream.h>

#include "media/opus.h"

static const struct sound_format formats[] = {
	{ 2, 1, 1, { 0, 1 }, 5, 96000 },
	{ 2, 1, 1, { 0, 1 }, 10, 512000 },
	{ 6, 4, 2, { 0, 1, 2, 3, 4, 5 }, 5, 256000 },
	{ 6, 6, 0, { 0, 1, 2, 3, 4, 5 }, 5, 1536000 },
	{ 8, 5, 3, { 0, 1, 2, 3, 4, 5, 6, 7 }, 5, 450000 },
	{ 8, 8, 0, { 0, 1, 2, 3, 4, 5, 6, 7 }, 10, 2048000 },
};

static double power(const float *samples, size_t count, unsigned channels, unsigned channel) {
	double sum = 0;
	for (size_t i = 0; i < count; i++) {
		sum += (double)samples[i * channels + channel] * samples[i * channels + channel];
	}
	return sum / (double)count;
}

/* A tone on one channel after the other must come out of that channel. */
static void try_format(const struct sound_format *format) {
	size_t count = sound_frame_samples(format);
	struct sound_encoder *encoder;
	int error, first = 0;
	assert_int_equal(sound_encoder_create(format, &encoder), 0);
	OpusMSDecoder *decoder = opus_multistream_decoder_create(SOUND_RATE_HZ, format->channels,
			format->streams, format->coupled, format->mapping, &error);
	assert_non_null(decoder);
	for (unsigned channel = 0; channel < format->channels; channel++) {
		float decoded[480 * 8];
		for (unsigned n = 0; n < 20; n++) {
			int16_t samples[480 * 8] = { 0 };
			uint8_t packet[SOUND_PACKET_MAX];
			for (size_t i = 0; i < count; i++) {
				double at = (double)(n * count + i) / SOUND_RATE_HZ;
				/* The LFE channel carries nothing high. */
				samples[i * format->channels + channel] =
						(int16_t)(12000 * sin(2 * M_PI * 100 * at));
			}
			int size = sound_encoder_encode(encoder, samples, packet);
			assert_true(size > 0 && size <= SOUND_PACKET_MAX);
			first = first ? first : size;
			assert_int_equal(size, first);
			assert_int_equal(opus_multistream_decode_float(decoder, packet, size,
							 decoded, (int)count, 0),
					(int)count);
		}
		double most = 0;
		unsigned loudest = 99;
		for (unsigned i = 0; i < format->channels; i++) {
			double p = power(decoded, count, format->channels, i);
			loudest = p > most ? i : loudest;
			most = p > most ? p : most;
		}
		assert_int_equal(loudest, channel);
		assert_true(most > 0.01);
	}
	opus_multistream_decoder_destroy(decoder);
	sound_encoder_destroy(encoder);
}

static void every_channel_comes_out_where_it_went_in(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		try_format(&formats[i]);
	}
}

static void nonsense_is_refused(void **state) {
	(void)state;
	struct sound_format bad[6] = { formats[0], formats[0], formats[0], formats[0], formats[0],
		formats[0] };
	struct sound_encoder *encoder;
	bad[0].channels = 0;
	bad[1].channels = 9;
	bad[2].coupled = 2;
	bad[3].mapping[1] = 2;
	bad[4].frame_ms = 20;
	bad[5].bitrate_bps = 0;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(sound_encoder_create(&bad[i], &encoder), -EINVAL);
	}
	sound_encoder_destroy(NULL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_channel_comes_out_where_it_went_in),
		UNIT(nonsense_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
