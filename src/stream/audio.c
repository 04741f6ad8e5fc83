/* SPDX-License-Identifier: MIT */
#include "stream/audio.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "stream/source.h"

int stream_audio_init(struct stream_audio *audio, const struct audio_format *format,
		const struct secret *key, const struct audio_position *position,
		struct flow *flow) {
	memset(audio, 0, sizeof(*audio));
	audio->flow = flow;
	return audio_sender_init(&audio->sender, format, key, position);
}

void stream_audio_finish(struct stream_audio *audio) {
	audio_sender_finish(&audio->sender);
}

/* A silent packet that was posted before we came is the whole sound there is. */
static void stand_at_newest(struct ring_reader *ring) {
	struct ring_packet packet;
	uint64_t newest = ring_newest(ring);
	bool silent = ring_peek(ring, newest, &packet) == 0 && packet.flags & RING_SILENCE;
	ring->next = silent ? newest : newest + 1;
}

void stream_audio_set_source(struct stream_audio *audio, struct source *source) {
	audio->source = source;
	silence_end(&audio->silence);
	stand_at_newest(&source->sound->ring);
}

int stream_audio_align(struct stream_audio *audio, const struct secret *key) {
	struct audio_format format = audio->sender.format;
	struct audio_position position =
			audio_position_aligned(audio->sender.position, format.duration_ms);
	audio_sender_finish(&audio->sender);
	return audio_sender_init(&audio->sender, &format, key, &position);
}

/* Sound that could not be sent at its time is of no use later. */
static void send_packet(struct stream_audio *audio, const uint8_t *opus, size_t size,
		audio_commit_fn *commit, void *user) {
	struct audio_batch batch;
	if (audio_send(&audio->sender, opus, size, &batch) < 0) {
		audio->counters.bad++;
		return;
	}
	commit(user);
	for (uint8_t i = 0; i < batch.count; i++) {
		flow_send(audio->flow, batch.datagrams[i], batch.sizes[i]);
	}
	audio->counters.packets++;
}

enum {
	RUN_MAX = SILENCE_LONG * FEC_AUDIO_DATA,
};

/* Datagrams of one size that leave together. */
struct run {
	size_t size;
	unsigned count;
	uint8_t bytes[RUN_MAX * AUDIO_DATAGRAM_MAX];
};

static void run_send(
		struct stream_audio *audio, struct run *run, audio_commit_fn *commit, void *user) {
	if (run->count > 0) {
		commit(user);
		flow_send_alike(audio->flow, run->bytes, run->size, run->count);
		run->count = 0;
	}
}

static void run_add(struct run *run, const uint8_t *datagram, size_t size) {
	assert(run->count < RUN_MAX && (run->count == 0 || run->size == size));
	memcpy(run->bytes + run->count * size, datagram, size);
	run->size = size;
	run->count++;
}

/* All that is due of the silent packet: equally long, so they leave in two calls. */
static void repeat_silence(
		struct stream_audio *audio, uint64_t now_ns, audio_commit_fn *commit, void *user) {
	struct run data, parity;
	data.count = parity.count = 0;
	while (silence_due(&audio->silence, now_ns)) {
		struct audio_batch batch;
		if (audio_send(&audio->sender, audio->silent, audio->silent_size, &batch) < 0) {
			audio->counters.bad++;
			continue;
		}
		run_add(&data, batch.datagrams[0], batch.sizes[0]);
		for (uint8_t i = 1; i < batch.count; i++) {
			run_add(&parity, batch.datagrams[i], batch.sizes[i]);
		}
		audio->counters.packets++;
		audio->counters.repeated++;
		if (data.count == RUN_MAX) {
			run_send(audio, &data, commit, user);
			run_send(audio, &parity, commit, user);
		}
	}
	run_send(audio, &data, commit, user);
	run_send(audio, &parity, commit, user);
}

/* The next packet of the ring: its size, 0 for none. */
static size_t read_packet(struct stream_audio *audio, struct ring_packet *packet, uint8_t *opus,
		size_t room) {
	struct ring_reader *ring = &audio->source->sound->ring;
	uint64_t newest = ring_newest(ring);
	if (newest >= ring->next && newest - ring->next >= STREAM_AUDIO_BEHIND) {
		audio->counters.passed_over += newest - ring->next;
		ring->next = newest;
	}
	for (int turn = 0; turn < STREAM_AUDIO_BEHIND; turn++) {
		int rc = ring_read(ring, packet, opus, room);
		if (rc == 0) {
			return packet->size;
		}
		if (rc == -EAGAIN) {
			return 0;
		}
		audio->counters.passed_over++;
		ring->next += rc == -EOVERFLOW ? 0 : 1;
	}
	return 0;
}

bool stream_audio_step(
		struct stream_audio *audio, uint64_t now_ns, audio_commit_fn *commit, void *user) {
	if (!audio->source || !flow_is_here(audio->flow)) {
		return false;
	}
	uint8_t opus[AUDIO_OPUS_MAX];
	struct ring_packet packet;
	size_t size = read_packet(audio, &packet, opus, sizeof(opus));
	if (size > 0) {
		send_packet(audio, opus, size, commit, user);
		silence_end(&audio->silence);
		if (packet.flags & RING_SILENCE) {
			memcpy(audio->silent, opus, size);
			audio->silent_size = (uint16_t)size;
			silence_begin(&audio->silence, audio->sender.format.duration_ms * NS_PER_MS,
					audio->sender.position.next_sequence, now_ns);
		}
		return true;
	}
	repeat_silence(audio, now_ns, commit, user);
	return false;
}

uint64_t stream_audio_deadline_ns(const struct stream_audio *audio) {
	return audio->silence.on ? audio->silence.wake_ns : UINT64_MAX;
}
