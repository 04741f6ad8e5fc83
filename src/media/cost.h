/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_COST_H
#define MEDIA_COST_H

#include <stdint.h>

struct encoder_kind;

/* What pictures in full motion cost on this machine, for the host to know how many
 * sessions it may admit. Processor time is this process's own, so that a busy machine
 * measures the same as an idle one, but for its colder caches. */

enum {
	COST_WIDTH = 1280,
	COST_HEIGHT = 720,
	COST_PICTURES = 30,
	COST_PICTURES_MIN = 6,
	COST_LIMIT_MS = 400, /* of the whole run; what was measured until then counts */
	COST_SESSIONS_MAX = 32,
};

struct cost {
	uint32_t pictures;           /* measured, 0: none could be */
	uint32_t encode_ns_per_kpx;  /* processor time for 1000 pixels, the median picture's */
	uint32_t convert_ns_per_kpx; /* the same for the conversion in front of it */
	uint32_t device_ns_per_kpx;  /* time of the device, 0: none is used */
	uint32_t sessions;           /* of the device at once, 0: no bound was found */
};

/* Encodes a short run of a moving picture. May take long, a driver even for ever:
 * announce it in the pulse. */
void cost_measure(const struct encoder_kind *kind, struct cost *out);

#endif
