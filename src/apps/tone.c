/* SPDX-License-Identifier: MIT */
#include "apps/tone.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include <pulse/pulseaudio.h>

enum {
	RATE_HZ = 48000,
	PERIOD_SAMPLES = 1200, /* eleven whole periods of 440 Hz */
	PERIODS = 11,
	CHANNELS = 2,
	LATENCY_MS = 40,
	AMPLITUDE = 6000,
	RETRY_US = 200000, /* a server that died is there again soon */
};

struct tone {
	pa_threaded_mainloop *loop; /* owned; its thread runs every callback below */
	pa_context *context;        /* owned, replaced on each attempt */
	pa_stream *stream;          /* owned, NULL until the context is ready */
	pa_time_event *retry;       /* owned */
	size_t at;                  /* next sample of the wave */
	int16_t wave[PERIOD_SAMPLES][CHANNELS];
};

static void connect_again(struct tone *tone);

static void forget(struct tone *tone) {
	if (tone->stream) {
		pa_stream_set_write_callback(tone->stream, NULL, NULL);
		pa_stream_disconnect(tone->stream);
		pa_stream_unref(tone->stream);
		tone->stream = NULL;
	}
	if (tone->context) {
		pa_context_set_state_callback(tone->context, NULL, NULL);
		pa_context_disconnect(tone->context);
		pa_context_unref(tone->context);
		tone->context = NULL;
	}
}

static void handle_retry(pa_mainloop_api *api, pa_time_event *event, const struct timeval *when,
		void *data) {
	(void)api, (void)event, (void)when;
	connect_again(data);
}

static void retry_later(struct tone *tone) {
	pa_mainloop_api *api = pa_threaded_mainloop_get_api(tone->loop);
	struct timeval when;
	pa_timeval_add(pa_gettimeofday(&when), RETRY_US);
	if (tone->retry) {
		api->time_restart(tone->retry, &when);
	} else {
		tone->retry = api->time_new(api, &when, handle_retry, tone);
	}
}

static void handle_write(pa_stream *stream, size_t wanted, void *data) {
	struct tone *tone = data;
	size_t frame = sizeof(tone->wave[0]);
	while (wanted >= frame) {
		void *room = NULL;
		size_t size = wanted;
		if (pa_stream_begin_write(stream, &room, &size) < 0 || !room || size < frame) {
			return;
		}
		size_t frames = size / frame;
		for (size_t i = 0; i < frames; i++) {
			memcpy((uint8_t *)room + i * frame, tone->wave[tone->at], frame);
			tone->at = (tone->at + 1) % PERIOD_SAMPLES;
		}
		if (pa_stream_write(stream, room, frames * frame, NULL, 0, PA_SEEK_RELATIVE) < 0) {
			return;
		}
		wanted -= frames * frame < wanted ? frames * frame : wanted;
	}
}

static void play(struct tone *tone) {
	static const pa_sample_spec spec = {
		.format = PA_SAMPLE_S16LE, .rate = RATE_HZ, .channels = CHANNELS
	};
	uint32_t bytes = (uint32_t)pa_usec_to_bytes(LATENCY_MS * PA_USEC_PER_MSEC, &spec);
	/* A quarter, not a half: else the server grants its sink 0.5 ms and wakes all
	 * the time. */
	pa_buffer_attr attr = { .maxlength = UINT32_MAX,
		.tlength = bytes,
		.prebuf = 0,
		.minreq = bytes / 4,
		.fragsize = UINT32_MAX };
	tone->stream = pa_stream_new(tone->context, "440 Hz", &spec, NULL);
	if (!tone->stream) {
		return;
	}
	pa_stream_set_write_callback(tone->stream, handle_write, tone);
	pa_stream_connect_playback(tone->stream, NULL, &attr, PA_STREAM_ADJUST_LATENCY, NULL, NULL);
}

static void handle_state(pa_context *context, void *data) {
	struct tone *tone = data;
	pa_context_state_t state = pa_context_get_state(context);
	if (state == PA_CONTEXT_READY) {
		play(tone);
	} else if (!PA_CONTEXT_IS_GOOD(state)) {
		retry_later(tone);
	}
}

static void connect_again(struct tone *tone) {
	forget(tone);
	tone->context = pa_context_new(pa_threaded_mainloop_get_api(tone->loop), "Pattern");
	if (!tone->context) {
		retry_later(tone);
		return;
	}
	pa_context_set_state_callback(tone->context, handle_state, tone);
	if (pa_context_connect(tone->context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) < 0) {
		retry_later(tone);
	}
}

static void draw_wave(struct tone *tone) {
	for (size_t i = 0; i < PERIOD_SAMPLES; i++) {
		double phase = 2 * M_PI * PERIODS * (double)i / PERIOD_SAMPLES;
		for (size_t channel = 0; channel < CHANNELS; channel++) {
			tone->wave[i][channel] = (int16_t)(AMPLITUDE * sin(phase));
		}
	}
}

int tone_create(struct tone **out) {
	struct tone *tone = calloc(1, sizeof(*tone));
	if (!tone) {
		return -ENOMEM;
	}
	draw_wave(tone);
	tone->loop = pa_threaded_mainloop_new();
	if (!tone->loop) {
		tone_destroy(tone);
		return -ENOMEM;
	}
	connect_again(tone);
	if (pa_threaded_mainloop_start(tone->loop) < 0) {
		tone_destroy(tone);
		return -EINVAL;
	}
	*out = tone;
	return 0;
}

void tone_destroy(struct tone *tone) {
	if (!tone) {
		return;
	}
	if (tone->loop) {
		pa_threaded_mainloop_stop(tone->loop);
		forget(tone);
		if (tone->retry) {
			pa_threaded_mainloop_get_api(tone->loop)->time_free(tone->retry);
		}
		pa_threaded_mainloop_free(tone->loop);
	}
	free(tone);
}
