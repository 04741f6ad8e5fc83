/* SPDX-License-Identifier: MIT */
#include "media/opus.h"

#include <stdbool.h>

#include <opus/opus_multistream.h>

struct sound_encoder {
	OpusMSEncoder *opus; /* owned */
	int samples;
	int size; /* bytes of every packet */
};

static bool makes_sense(const struct sound_format *format) {
	if (format->channels < 1 || format->channels > SOUND_CHANNELS_MAX || format->streams < 1 ||
			format->coupled > format->streams ||
			(format->frame_ms != 5 && format->frame_ms != 10) ||
			format->bitrate_bps < 6000) {
		return false;
	}
	for (unsigned i = 0; i < format->channels; i++) {
		if (format->mapping[i] >= format->streams + format->coupled) {
			return false;
		}
	}
	return true;
}

int sound_encoder_create(const struct sound_format *format, struct sound_encoder **out) {
	if (!makes_sense(format)) {
		return -EINVAL;
	}
	struct sound_encoder *self = calloc(1, sizeof(*self));
	if (!self) {
		return -ENOMEM;
	}
	uint32_t packets_per_s = 1000u / format->frame_ms;
	uint32_t most_bps = SOUND_PACKET_MAX * 8 * packets_per_s;
	uint32_t bitrate_bps = format->bitrate_bps < most_bps ? format->bitrate_bps : most_bps;
	int error;
	self->samples = (int)sound_frame_samples(format);
	self->size = (int)(bitrate_bps / packets_per_s / 8);
	self->opus = opus_multistream_encoder_create(SOUND_RATE_HZ, format->channels,
			format->streams, format->coupled, format->mapping,
			OPUS_APPLICATION_RESTRICTED_LOWDELAY, &error);
	if (!self->opus) {
		free(self);
		return -EINVAL;
	}
	if (opus_multistream_encoder_ctl(self->opus, OPUS_SET_VBR(0)) != OPUS_OK ||
			opus_multistream_encoder_ctl(self->opus,
					OPUS_SET_BITRATE((opus_int32)bitrate_bps)) != OPUS_OK) {
		sound_encoder_destroy(self);
		return -EINVAL;
	}
	*out = self;
	return 0;
}

void sound_encoder_destroy(struct sound_encoder *encoder) {
	if (encoder) {
		opus_multistream_encoder_destroy(encoder->opus);
		free(encoder);
	}
}

int sound_encoder_encode(struct sound_encoder *encoder, const int16_t *samples, uint8_t *out) {
	int size = opus_multistream_encode(
			encoder->opus, samples, encoder->samples, out, encoder->size);
	return size > 0 ? size : -EINVAL;
}

void sound_encoder_reset(struct sound_encoder *encoder) {
	opus_multistream_encoder_ctl(encoder->opus, OPUS_RESET_STATE);
}
