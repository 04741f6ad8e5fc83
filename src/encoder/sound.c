/* SPDX-License-Identifier: MIT */
#include "encoder/sound.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "encoder/capture.h"

enum {
	RING_BYTES = 512 * 1024, /* 256 packets of any size */
};

static void post(struct sound_work *work, const int16_t *samples, uint32_t flags) {
	struct ring_packet packet = {
		.flags = flags,
		.picture = work->samples,
		.encode_begin_ns = clock_now_ns(),
	};
	uint8_t bytes[SOUND_PACKET_MAX];
	int size = sound_encoder_encode(work->encoder, samples, bytes);
	if (size < 0) {
		worker_end(work->worker, REASON_ENCODER_DIED, "Opus does not encode any more");
		return;
	}
	packet.encode_end_ns = clock_now_ns();
	work->samples += sound_frame_samples(&work->format);
	if (ring_write(work->ring, &packet, bytes, (size_t)size) == 0) {
		readers_wake(work->readers);
	}
	struct pulse *pulse = work->worker->pulse;
	pulse_add(pulse, PULSE_ENCODER_PICTURES, 1);
	pulse_add(pulse, PULSE_ENCODER_BYTES, (uint64_t)size);
	pulse_add(pulse, PULSE_ENCODER_NS, packet.encode_end_ns - packet.encode_begin_ns);
}

static void set_capture(struct sound_work *work) {
	capture_listen(work->capture, work->readers->count > 0, !work->silent);
}

/* The packet is repeated, so it must not carry the end of what sounded before. */
static void fall_silent(struct sound_work *work) {
	static const int16_t nothing[SOUND_FRAME_MAX];
	sound_encoder_reset(work->encoder);
	post(work, nothing, RING_SILENCE);
	work->silent = true;
	work->quiet_ms = 0;
	work->filled = 0;
}

static bool is_quiet(const int16_t *samples, size_t count) {
	for (size_t i = 0; i < count; i++) {
		if (samples[i] != 0) {
			return false;
		}
	}
	return true;
}

static void handle_frame(struct sound_work *work) {
	size_t count = sound_frame_samples(&work->format) * work->format.channels;
	bool quiet = is_quiet(work->frame, count);
	work->quiet_ms = quiet ? work->quiet_ms + work->format.frame_ms : 0;
	if (quiet && work->silent) {
		work->quiet_ms = 0;
		return;
	}
	if (quiet && work->quiet_ms >= SOUND_QUIET_MS) {
		fall_silent(work);
		set_capture(work);
		return;
	}
	post(work, work->frame, 0);
	if (work->silent) {
		work->silent = false;
		set_capture(work);
	}
}

static void handle_samples(void *user, const int16_t *samples, size_t count) {
	struct sound_work *work = user;
	size_t whole = sound_frame_samples(&work->format), channels = work->format.channels;
	size_t most = (size_t)SOUND_RATE_HZ / 1000 * SOUND_BACKLOG_MS;
	if (count > most) {
		work->skipped += count - whole;
		samples = samples ? samples + (count - whole) * channels : NULL;
		count = whole;
	}
	while (count > 0) {
		size_t n = whole - work->filled < count ? whole - work->filled : count;
		int16_t *to = work->frame + work->filled * channels;
		if (samples) {
			memcpy(to, samples, n * channels * sizeof(*to));
			samples += n * channels;
		} else {
			memset(to, 0, n * channels * sizeof(*to));
		}
		work->filled += n;
		count -= n;
		if (work->filled == whole) {
			work->filled = 0;
			handle_frame(work);
		}
	}
}

static void handle_lost(void *user) {
	struct sound_work *work = user;
	work->lost++;
	if (!work->silent) {
		fall_silent(work);
	}
	set_capture(work);
}

static void handle_deaf(void *user) {
	struct sound_work *work = user;
	struct ipc_message deaf = { .kind = IPC_SOUND_DEAF };
	worker_post(work->worker, &deaf, NULL, 0);
}

static const struct capture_events capture_events = {
	.deaf = handle_deaf,
	.samples = handle_samples,
	.lost = handle_lost,
};

void sound_reader_joined(struct sound_work *work) {
	if (work->silent) {
		fall_silent(work);
	}
	set_capture(work);
}

void sound_reader_left(struct sound_work *work) {
	if (work->readers->count == 0) {
		work->silent = true;
		work->quiet_ms = 0;
		work->filled = 0;
	}
	set_capture(work);
}

static void tell_ready(struct sound_work *work, uint32_t encoder) {
	struct ipc_message ready = {
		.kind = IPC_ENCODER_READY,
		.encoder_ready = { .encoder = encoder, .name = "opus" },
	};
	worker_post(work->worker, &ready, &work->ring->shm.fd, 1);
}

void sound_start(struct sound_work *work, struct worker *worker, struct readers *readers,
		struct ring_writer *ring, const struct ipc_message *message) {
	*work = (struct sound_work){
		.worker = worker,
		.readers = readers,
		.ring = ring,
		.silent = true,
		.format = {
			.channels = message->sound_encoder.channels,
			.streams = message->sound_encoder.streams,
			.coupled = message->sound_encoder.coupled,
			.frame_ms = message->sound_encoder.frame_ms,
			.bitrate_bps = message->sound_encoder.bitrate_bps,
		},
	};
	memcpy(work->format.mapping, message->sound_encoder.mapping, sizeof(work->format.mapping));
	int rc = sound_encoder_create(&work->format, &work->encoder);
	if (rc < 0) {
		worker_end(worker, REASON_UNSUPPORTED, "no such sound format");
		return;
	}
	rc = ring_create(RING_BYTES, ring);
	if (rc >= 0) {
		rc = capture_create(worker->event, message->sound_encoder.server,
				work->format.channels, work->format.frame_ms, &capture_events, work,
				&work->capture);
	}
	if (rc < 0) {
		worker_end(worker, REASON_RESOURCES, "sound encoder: %s", strerror(-rc));
		return;
	}
	tell_ready(work, message->sound_encoder.encoder);
}
