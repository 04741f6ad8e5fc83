/* SPDX-License-Identifier: MIT */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A key or token of 16 bytes. It is a struct so that no format directive takes
 * it: a secret cannot be logged by mistake. */
struct secret {
	uint8_t bytes[16];
};

/* Forgets the secret; the compiler may not leave this out. */
static inline void secret_wipe(struct secret *secret) {
	explicit_bzero(secret, sizeof(*secret));
}

/* Compares in time that does not depend on where the bytes differ. */
static inline bool bytes_equal_secretly(const void *a, const void *b, size_t len) {
	const volatile uint8_t *x = (const volatile uint8_t *)a;
	const volatile uint8_t *y = (const volatile uint8_t *)b;
	uint8_t difference = 0;
	for (size_t i = 0; i < len; i++) {
		difference |= (uint8_t)(x[i] ^ y[i]);
	}
	return difference == 0;
}

#endif
