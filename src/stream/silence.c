/* SPDX-License-Identifier: MIT */
#include "stream/silence.h"

/* The burst leaves when its last packet is due. */
static void wait_for_burst(struct silence *silence) {
	silence->wake_ns = silence->due_ns + (silence->left - 1) * silence->period_ns;
}

static uint32_t burst_of(uint64_t period_ns) {
	return period_ns < SILENCE_BURST_NS ? (uint32_t)(SILENCE_BURST_NS / period_ns) : 1;
}

void silence_begin(
		struct silence *silence, uint64_t period_ns, uint32_t sequence, uint64_t now_ns) {
	uint32_t burst = burst_of(period_ns);
	*silence = (struct silence){
		.on = true,
		.period_ns = period_ns,
		.due_ns = now_ns + period_ns,
		.left = burst - sequence % burst,
	};
	wait_for_burst(silence);
}

void silence_end(struct silence *silence) {
	silence->on = false;
}

bool silence_due(struct silence *silence, uint64_t now_ns) {
	if (!silence->on || now_ns < silence->wake_ns || now_ns < silence->due_ns) {
		return false;
	}
	bool lost = now_ns - silence->due_ns > SILENCE_LATE * silence->period_ns;
	silence->due_ns = (lost ? now_ns : silence->due_ns) + silence->period_ns;
	silence->left--;
	if (silence->left == 0) {
		silence->bursts += silence->bursts < SILENCE_LONG_AFTER;
		silence->left = burst_of(silence->period_ns) *
				(silence->bursts < SILENCE_LONG_AFTER ? 1 : SILENCE_LONG);
		wait_for_burst(silence);
	} else if (lost) {
		wait_for_burst(silence);
	}
	return true;
}
