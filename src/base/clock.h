/* SPDX-License-Identifier: MIT */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define US_PER_MS UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)

/* Nanoseconds of CLOCK_MONOTONIC: the one clock of every deadline and age. */
static inline uint64_t clock_now_ns(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* The same in microseconds, as sd-event counts. */
static inline uint64_t clock_now_us(void) {
	return clock_now_ns() / NS_PER_US;
}

static inline uint64_t clock_now_ms(void) {
	return clock_now_ns() / NS_PER_MS;
}

#endif
