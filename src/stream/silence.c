/* SPDX-License-Identifier: MIT */
#include "stream/silence.h"

void silence_begin(struct silence *silence, uint64_t period_ns, uint64_t now_ns) {
	*silence = (struct silence){
		.on = true, .period_ns = period_ns, .due_ns = now_ns + period_ns
	};
}

void silence_end(struct silence *silence) {
	silence->on = false;
}

bool silence_due(struct silence *silence, uint64_t now_ns) {
	if (!silence->on || now_ns < silence->due_ns) {
		return false;
	}
	bool lost = now_ns - silence->due_ns > SILENCE_LATE * silence->period_ns;
	silence->due_ns = (lost ? now_ns : silence->due_ns) + silence->period_ns;
	return true;
}
