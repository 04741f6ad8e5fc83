/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "proto/ping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Law: what decodes with a secret encodes to the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct ping ping;
	if (ping_decode(data, size, &ping) == 0 && ping.kind == PING_WITH_SECRET) {
		uint8_t bytes[PING_SIZE];
		ping_encode(ping.secret, ping.counter, bytes);
		if (size != PING_SIZE || memcmp(bytes, data, size) != 0) {
			abort();
		}
	}
	return 0;
}
