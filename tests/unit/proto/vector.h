/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_PROTO_VECTOR_H
#define TESTS_UNIT_PROTO_VECTOR_H

#include <string.h>

#include "base/hex.h"
#include "base/secret.h"

/* The key of every golden vector: 00 01 02 .. 0f. */
static inline struct secret vector_key(void) {
	struct secret key;
	for (uint8_t i = 0; i < sizeof(key.bytes); i++) {
		key.bytes[i] = i;
	}
	return key;
}

/* Hex digits to bytes; returns how many. */
static inline size_t vector_bytes(const char *hex, uint8_t *out) {
	assert_int_equal(hex_decode(hex, strlen(hex), out), 0);
	return strlen(hex) / 2;
}

static inline void assert_bytes(const void *bytes, size_t len, const char *hex) {
	uint8_t expected[2048];
	assert_int_equal(len, vector_bytes(hex, expected));
	assert_memory_equal(bytes, expected, len);
}

/* A small generator with a seed, so that a failure can be repeated. */
static inline uint32_t vector_random(uint64_t *seed) {
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33);
}

#endif
