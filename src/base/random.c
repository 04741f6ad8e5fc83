/* SPDX-License-Identifier: MIT */
#include "base/random.h"

#include <stdlib.h>
#include <sys/random.h>

void random_fill(void *out, size_t len) {
	uint8_t *at = (uint8_t *)out;
	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0) {
			abort();
		}
		at += got;
		len -= (size_t)got;
	}
}

uint32_t random_u32(void) {
	uint32_t value;
	random_fill(&value, sizeof(value));
	return value;
}
