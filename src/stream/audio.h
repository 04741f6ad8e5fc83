/* SPDX-License-Identifier: MIT */
#ifndef STREAM_AUDIO_H
#define STREAM_AUDIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/ring.h"
#include "proto/audio.h"
#include "stream/flows.h"
#include "stream/silence.h"

struct source;

/* Sound: from a source's ring to the audio flow as it comes, and during digital
 * silence one packet again and again on our own clock. */
enum {
	STREAM_AUDIO_BEHIND = 20, /* packets in the ring; then the oldest are passed over */
};

struct audio_counters {
	uint64_t packets, repeated;
	uint64_t passed_over; /* lapped, or too far behind */
	uint64_t bad;         /* packets that no client could take */
};

struct stream_audio {
	struct audio_sender sender; /* owned */
	struct source *source;      /* borrowed from the stream; NULL for none */
	struct flow *flow;          /* borrowed */
	struct silence silence;
	uint16_t silent_size;
	uint8_t silent[AUDIO_OPUS_MAX];
	struct audio_counters counters;
};

typedef void audio_commit_fn(void *user);

/* position: where a group begins. */
int stream_audio_init(struct stream_audio *audio, const struct audio_format *format,
		const struct secret *key, const struct audio_position *position,
		struct flow *flow) NODISCARD;
void stream_audio_finish(struct stream_audio *audio);

/* Sound comes from here from now on. Only at a group's begin:
 * stream_audio_align() makes one. */
void stream_audio_set_source(struct stream_audio *audio, struct source *source);

/* Jumps to the next group's begin, for an old source that will not complete its
 * group. -ENOMEM. */
int stream_audio_align(struct stream_audio *audio, const struct secret *key) NODISCARD;

/* True when the next packet begins a group. */
static inline bool stream_audio_at_group(const struct stream_audio *audio) {
	return audio->sender.position.next_sequence % FEC_AUDIO_DATA == 0;
}

/* Sends one packet that is there, or all silent ones that are due; false when none is there. */
bool stream_audio_step(
		struct stream_audio *audio, uint64_t now_ns, audio_commit_fn *commit, void *user);

/* When a repetition is due; UINT64_MAX: none. */
uint64_t stream_audio_deadline_ns(const struct stream_audio *audio);

#endif
