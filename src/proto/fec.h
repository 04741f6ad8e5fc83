/* SPDX-License-Identifier: MIT */
#ifndef PROTO_FEC_H
#define PROTO_FEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Reed-Solomon over GF(2^8) with polynomial 0x11D, systematic: data shards
 * travel as they are, and any `data` shards of a block rebuild it.
 *
 * Video uses a Cauchy matrix whose row r and column c are the inverse of
 * (parity + c) XOR r (nanors rs.c, which clients link). Audio uses a fixed
 * matrix for four data and two parity shards (moonlight-common-c
 * RtpAudioQueue.c). ISA-L does the arithmetic; its own Cauchy generator makes
 * another matrix. */
enum {
	FEC_SHARDS_MAX = 255, /* data and parity of one block */
	FEC_AUDIO_DATA = 4,
	FEC_AUDIO_PARITY = 2,
	FEC_CACHE_SIZE = 16,
};

/* Expanded tables of the shapes used last, since making them costs about as
 * much as using them once. Zero initialised; owned by one thread. */
struct fec_cache {
	struct fec_tables {
		uint16_t data, parity; /* 0 for an empty place */
		uint64_t used;
		size_t size;    /* bytes at table */
		uint8_t *table; /* owned */
	} places[FEC_CACHE_SIZE];
	uint64_t clock;
};

void fec_cache_finish(struct fec_cache *cache);

/* Writes the parity shards of data shards, all len bytes long and none
 * overlapping. -EINVAL for counts that cannot be, -ENOMEM. */
int fec_encode(struct fec_cache *cache, size_t data, size_t parity, size_t len,
		uint8_t *const *data_shards, uint8_t *const *parity_shards) NODISCARD;

/* Rebuilds the data shards that are not present. `shards` are the data shards
 * and then the parity shards, each with room for len bytes; absent parity
 * shards are not touched and may be NULL. -EBADMSG when too few are present,
 * -EINVAL for counts that cannot be, -ENOMEM. */
int fec_decode(size_t data, size_t parity, size_t len, uint8_t *const *shards,
		const bool *present) NODISCARD;

/* The same for a group of audio payloads. */
void fec_audio_encode(size_t len, uint8_t *const data_shards[FEC_AUDIO_DATA],
		uint8_t *const parity_shards[FEC_AUDIO_PARITY]);
int fec_audio_decode(size_t len, uint8_t *const shards[FEC_AUDIO_DATA + FEC_AUDIO_PARITY],
		const bool present[FEC_AUDIO_DATA + FEC_AUDIO_PARITY]) NODISCARD;

#endif
