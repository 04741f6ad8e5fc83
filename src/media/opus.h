/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_OPUS_H
#define MEDIA_OPUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Opus as Moonlight wants it: 48 kHz multistream, restricted low delay,
 * constant bit rate (its FEC needs packets of one size), 5 or 10 ms a packet.
 * (SUN audio.cpp:51-152, facts in docs/protocol.) */

enum {
	SOUND_RATE_HZ = 48000,
	SOUND_CHANNELS_MAX = 8,
	/* One packet's payload: encrypted (padded to 16) it must not exceed 1400. */
	SOUND_PACKET_MAX = 1383,
};

struct sound_format {
	uint8_t channels; /* 1 to 8, FL FR C LFE RL RR SL SR */
	uint8_t streams, coupled;
	uint8_t mapping[SOUND_CHANNELS_MAX];
	uint8_t frame_ms;     /* 5 or 10 */
	uint32_t bitrate_bps; /* lowered to what SOUND_PACKET_MAX holds */
};

struct sound_encoder;

/* Samples of one channel in a packet. */
static inline size_t sound_frame_samples(const struct sound_format *format) {
	return (size_t)SOUND_RATE_HZ / 1000 * format->frame_ms;
}

/* -EINVAL for a format that Opus or Moonlight does not have. */
int sound_encoder_create(const struct sound_format *format, struct sound_encoder **out) NODISCARD;

/* Accepts NULL. */
void sound_encoder_destroy(struct sound_encoder *encoder);

/* Encodes one frame of interleaved samples; out has SOUND_PACKET_MAX bytes.
 * Returns the packet's size, the same for every packet. */
int sound_encoder_encode(
		struct sound_encoder *encoder, const int16_t *samples, uint8_t *out) NODISCARD;

/* Forgets what came before, for a packet that stands for itself. */
void sound_encoder_reset(struct sound_encoder *encoder);

#endif
