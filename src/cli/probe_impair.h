/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_IMPAIR_H
#define CLI_PROBE_IMPAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* A bad network between the sockets and the probe: loses, doubles, delays and
 * overtakes datagrams as its seed says. No I/O and no clock: the same seed and
 * the same datagrams fare the same, whatever the times. */
enum {
	IMPAIR_DATAGRAM_MAX = 2048,
	IMPAIR_QUEUE_MAX = 8192, /* datagrams under way; more are lost, and counted */
	IMPAIR_OVERTAKEN_MS = 4, /* how much later an overtaken datagram arrives */
};

struct impair_config {
	double drop, duplicate, reorder; /* shares, 0 to 1 */
	uint32_t delay_ms;
	uint64_t seed;
};

struct impair_datagram {
	uint64_t arrives_ns; /* now_ns of its impair_push() and what it was delayed */
	uint32_t flow;       /* the caller's word for where it came from */
	size_t len;
	uint8_t bytes[IMPAIR_DATAGRAM_MAX];
};

struct impair_stats {
	uint64_t passed, dropped, duplicated, reordered;
};

struct impair;

/* -EINVAL for shares outside 0 to 1, -ENOMEM. */
int impair_create(const struct impair_config *config, struct impair **out) NODISCARD;
void impair_destroy(struct impair *impair);

/* True when the configuration changes anything at all. */
bool impair_is_needed(const struct impair_config *config);

/* Takes a datagram that arrived. What is longer than IMPAIR_DATAGRAM_MAX is lost. */
void impair_push(struct impair *impair, uint32_t flow, const void *bytes, size_t len,
		uint64_t now_ns);

/* The next datagram that is due, borrowed until the next call; NULL for none. */
const struct impair_datagram *impair_pop(struct impair *impair, uint64_t now_ns);

/* When impair_pop() has the next one, UINT64_MAX for never. */
uint64_t impair_next_deadline(const struct impair *impair);

const struct impair_stats *impair_stats(const struct impair *impair);

OWN_DEFINE(struct impair *, impair_destroy)

#endif
