/* SPDX-License-Identifier: MIT */
#include "stream/switching.h"

#include "base/clock.h"

void switching_begin(struct switching *switching, uint64_t now_ns) {
	switching->pictures = true;
	switching->deadline_ns = now_ns + SWITCHING_MS * NS_PER_MS;
}

bool switching_pictures_move(struct switching *switching, bool new_ring_has_key) {
	if (!switching->pictures || !new_ring_has_key) {
		return false;
	}
	switching->pictures = false;
	switching->sound = true;
	return true;
}

bool switching_overdue(struct switching *switching, uint64_t now_ns) {
	if (!switching->pictures || now_ns < switching->deadline_ns) {
		return false;
	}
	switching->pictures = false;
	return true;
}

bool switching_sound_moves(struct switching *switching, uint16_t next_sequence) {
	if (!switching->sound || next_sequence % 4 != 0) {
		return false;
	}
	switching->sound = false;
	return true;
}

uint64_t switching_deadline_ns(const struct switching *switching) {
	return switching->pictures ? switching->deadline_ns : UINT64_MAX;
}
