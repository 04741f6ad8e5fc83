/* SPDX-License-Identifier: MIT */
#include "stream/ages.h"

#include <stdlib.h>

#include "base/clock.h"
#include "ipc/pulse.h"

void ages_add(struct ages *ages, uint64_t ns) {
	uint64_t us = ns / NS_PER_US;
	ages->us[ages->count++ % AGES_MAX] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int compare(const void *a, const void *b) {
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

void ages_take(struct ages *ages, uint32_t *out_p50_us, uint32_t *out_p99_us) {
	uint32_t count = ages->count < AGES_MAX ? ages->count : AGES_MAX;
	ages->count = 0;
	*out_p50_us = 0;
	*out_p99_us = 0;
	if (count > 0) {
		qsort(ages->us, count, sizeof(ages->us[0]), compare);
		*out_p50_us = ages->us[(count - 1) / 2];
		*out_p99_us = ages->us[(count - 1) * 99 / 100];
	}
}

unsigned ages_hand_class(uint64_t ns) {
	return pulse_class(&pulse_hand_bounds, ns);
}
