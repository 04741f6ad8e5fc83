/* SPDX-License-Identifier: MIT */
#include "cli/probe_audio.h"

#include <errno.h>
#include <math.h>

#include <opus_multistream.h>

#include "base/clock.h"
#include "proto/audio_receive.h"
#include "proto/rtsp.h"

enum {
	CHANNELS_MAX = 8,
	FRAMES_MAX = LEVEL_RATE_HZ / 100, /* of 10 ms */
};

static const float AUDIBLE = 0.01F; /* of full scale */

/* Hosts advertise the normal layouts rotated so that clients end up with these. */
static int decoder_create(unsigned channels, OpusMSDecoder **out) {
	size_t count;
	const struct rtsp_surround *layouts = rtsp_surround_layouts(&count);
	for (size_t i = 0; i < count; i++) {
		if (layouts[i].channels == channels && !layouts[i].high_quality) {
			int error;
			*out = opus_multistream_decoder_create(LEVEL_RATE_HZ, (int)channels,
					layouts[i].streams, layouts[i].coupled, layouts[i].mapping,
					&error);
			return *out ? 0 : -ENOMEM;
		}
	}
	return -EINVAL;
}

int probe_audio_init(struct probe_audio *audio, const struct probe_audio_config *config) {
	*audio = (struct probe_audio){ .channels = config->channels,
		.frames = LEVEL_RATE_HZ / 1000 * config->packet_ms };
	struct audio_format format = { .duration_ms = (uint8_t)config->packet_ms,
		.encrypted = config->key,
		.key_id = config->key_id };
	audio->level = calloc(1, sizeof(*audio->level));
	if (!audio->level) {
		return -ENOMEM;
	}
	int rc = audio_receiver_create(&format, config->key, &audio->receiver);
	return rc < 0 || !config->decode ? rc : decoder_create(config->channels, &audio->decoder);
}

void probe_audio_finish(struct probe_audio *audio) {
	audio_receiver_destroy(TAKE(audio->receiver, NULL));
	if (audio->decoder) {
		opus_multistream_decoder_destroy(TAKE(audio->decoder, NULL));
	}
	samples_finish(&audio->gaps_ms);
	free(TAKE(audio->level, NULL));
}

static void note_heard(struct probe_audio *audio, const float *pcm, size_t count, uint64_t now_ns) {
	float peak = 0;
	for (size_t i = 0; i < count; i++) {
		peak = fmaxf(peak, fabsf(pcm[i]));
	}
	if (peak < AUDIBLE) {
		return;
	}
	if (audio->heard_ns && now_ns - audio->heard_ns > audio->quiet_longest_ns) {
		audio->quiet_longest_ns = now_ns - audio->heard_ns;
	}
	audio->heard_ns = now_ns;
}

static void decode(struct probe_audio *audio, const struct audio_received *packet,
		uint64_t arrived_ns) {
	if (!audio->decoder) {
		return;
	}
	float pcm[FRAMES_MAX * CHANNELS_MAX];
	/* Without data the decoder conceals. */
	int frames = opus_multistream_decode_float(audio->decoder, packet->data,
			(opus_int32)packet->size, pcm, (int)audio->frames, 0);
	if (frames < 0) {
		audio->errors++;
		return;
	}
	level_add(audio->level, pcm, (size_t)frames, audio->channels);
	if (packet->data) {
		note_heard(audio, pcm, (size_t)frames * audio->channels, arrived_ns);
	}
}

void probe_audio_take(
		struct probe_audio *audio, const void *datagram, size_t len, uint64_t arrived_ns) {
	if (audio->first_ns == 0) {
		audio->first_ns = arrived_ns;
	}
	audio->bytes += len;
	(void)!audio_receive(audio->receiver, datagram, len);
	struct audio_received packet;
	int rc;
	while ((rc = audio_receive_next(audio->receiver, &packet)) != -EAGAIN) {
		if (rc < 0) {
			audio->errors++;
			continue;
		}
		if (!packet.data) {
			audio->lost++;
		} else {
			audio->packets++;
			if (audio->newest_ns) {
				samples_add(&audio->gaps_ms,
						(double)(int64_t)(arrived_ns - audio->newest_ns) /
								1e6);
			}
			audio->newest_ns = arrived_ns;
		}
		decode(audio, &packet, arrived_ns);
	}
}
