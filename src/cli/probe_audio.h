/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_AUDIO_H
#define CLI_PROBE_AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/secret.h"
#include "cli/probe_level.h"
#include "cli/samples.h"

struct audio_receiver;
struct OpusMSDecoder;

/* The sound: datagrams to packets, packets to samples, samples to numbers. */
struct probe_audio {
	struct audio_receiver *receiver; /* owned */
	struct OpusMSDecoder *decoder;   /* owned; NULL: packets are only counted */
	unsigned channels, frames;       /* of a packet */
	uint64_t first_ns;               /* when the first datagram came, 0 before */
	uint64_t newest_ns;
	uint64_t packets, bytes, errors, lost;
	struct samples gaps_ms;
	struct level *level;       /* owned */
	uint64_t heard_ns;         /* when the newest audible packet came, 0 before */
	uint64_t quiet_longest_ns; /* between two audible packets */
};

struct probe_audio_config {
	unsigned channels, packet_ms;
	const struct secret *key; /* NULL: not encrypted */
	uint32_t key_id;
	bool decode;
};

int probe_audio_init(struct probe_audio *audio, const struct probe_audio_config *config) NODISCARD;
void probe_audio_finish(struct probe_audio *audio);

/* Takes one datagram. */
void probe_audio_take(
		struct probe_audio *audio, const void *datagram, size_t len, uint64_t arrived_ns);

#endif
