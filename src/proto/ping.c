/* SPDX-License-Identifier: MIT */
#include "proto/ping.h"

#include <errno.h>

#include "base/bytes.h"

int ping_decode(const void *datagram, size_t len, struct ping *out) {
	if (len == 4 && memcmp(datagram, "PING", 4) == 0) {
		*out = (struct ping){ .kind = PING_LEGACY };
		return 0;
	}
	struct reader r = reader_over(datagram, len);
	struct ping ping = { .kind = PING_WITH_SECRET };
	reader_copy(&r, ping.secret, sizeof(ping.secret));
	ping.counter = reader_be32(&r);
	if (!reader_done(&r)) {
		return -EBADMSG;
	}
	*out = ping;
	return 0;
}

void ping_encode(const uint8_t secret[PING_SECRET_SIZE], uint32_t counter, uint8_t out[PING_SIZE]) {
	struct writer w = writer_over(out, PING_SIZE);
	writer_copy(&w, secret, PING_SECRET_SIZE);
	writer_be32(&w, counter);
}
