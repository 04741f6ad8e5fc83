/* SPDX-License-Identifier: MIT */
#include "desktop/held.h"

static bool same_code(const struct held_press *a, const struct held_press *b) {
	return a->kind == b->kind && a->code == b->code;
}

/* Also says how many viewers hold it. */
static int find(const struct held *held, const struct held_press *press, unsigned *out_holders) {
	int found = -1;
	*out_holders = 0;
	for (unsigned i = 0; i < held->count; i++) {
		if (same_code(&held->presses[i], press)) {
			(*out_holders)++;
			if (held->presses[i].viewer == press->viewer) {
				found = (int)i;
			}
		}
	}
	return found;
}

bool held_press(struct held *held, struct held_press press) {
	unsigned holders;
	if (find(held, &press, &holders) >= 0 || held->count == HELD_MAX) {
		return false;
	}
	held->presses[held->count++] = press;
	return holders == 0;
}

bool held_release(struct held *held, struct held_press press) {
	unsigned holders;
	int at = find(held, &press, &holders);
	if (at < 0) {
		return false;
	}
	held->presses[at] = held->presses[--held->count];
	return holders == 1;
}

bool held_next(struct held *held, uint32_t viewer, struct held_press *out) {
	unsigned i = 0;
	while (i < held->count) {
		struct held_press press = held->presses[i];
		if (press.viewer != viewer) {
			i++;
			continue;
		}
		if (held_release(held, press)) {
			*out = press;
			return true;
		}
	}
	return false;
}
