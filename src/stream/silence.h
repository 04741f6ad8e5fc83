/* SPDX-License-Identifier: MIT */
#ifndef STREAM_SILENCE_H
#define STREAM_SILENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/* The clock of digital silence: the encoder posts one silent packet and sleeps,
 * and the stream repeats it, one a duration, because a client wants a packet for
 * each. It may have them together, though: a stream that wakes for each of them
 * is all that an idle desktop costs, so they leave in bursts that end where the
 * sequence is a multiple of the burst (with 5 ms packets: with their parity). The
 * grid is absolute, so that lateness does not add up; a standstill beyond
 * SILENCE_LATE packets begins a new grid rather than a flood. */
#define SILENCE_BURST_NS (20 * NS_PER_MS)

enum {
	SILENCE_LATE = 16,
	/* After two seconds nobody is about to speak, and bursts are twice as long.
	 * Not longer, nor earlier: what a client has got ahead it plays ahead of the
	 * sound that comes next. */
	SILENCE_LONG_AFTER = 100, /* bursts */
	SILENCE_LONG = 2,
};

struct silence {
	bool on;
	uint64_t period_ns;
	uint64_t due_ns;  /* of the next packet */
	uint64_t wake_ns; /* of the burst it belongs to: when its last packet is due */
	uint32_t left;    /* packets of the burst */
	uint32_t bursts;  /* so far */
};

/* A silent packet was just sent; the next one carries this sequence. */
void silence_begin(struct silence *silence, uint64_t period_ns, uint32_t sequence, uint64_t now_ns);

/* Another packet came: what is left of the burst is not sent. */
void silence_end(struct silence *silence);

/* True when a packet is to be sent now; moves the grid on by one. Ask again. */
bool silence_due(struct silence *silence, uint64_t now_ns);

#endif
