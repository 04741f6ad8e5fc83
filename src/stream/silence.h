/* SPDX-License-Identifier: MIT */
#ifndef STREAM_SILENCE_H
#define STREAM_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The clock of digital silence: the encoder posts one silent packet and sleeps,
 * and the stream repeats it, one a duration, because a client wants a packet for
 * each. The grid is absolute, so that lateness does not add up; a standstill
 * beyond SILENCE_LATE packets begins a new grid rather than a flood. */
enum {
	SILENCE_LATE = 8,
};

struct silence {
	bool on;
	uint64_t period_ns;
	uint64_t due_ns; /* of the next packet */
};

/* A silent packet was just sent. */
void silence_begin(struct silence *silence, uint64_t period_ns, uint64_t now_ns);

/* Another packet came. */
void silence_end(struct silence *silence);

/* True when a packet is to be sent now; moves the grid on by one. Ask again. */
bool silence_due(struct silence *silence, uint64_t now_ns);

#endif
