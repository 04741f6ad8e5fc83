/* SPDX-License-Identifier: MIT */
#include "gate/keyguard.h"

#include <string.h>

static int find(const struct keyguard *guard, const struct source *source) {
	for (int i = 0; i < KEYGUARD_SOURCES; i++) {
		if (guard->rows[i].wrong &&
				memcmp(&guard->rows[i].source, source, sizeof(*source)) == 0) {
			return i;
		}
	}
	return -1;
}

bool keyguard_is_locked(
		const struct keyguard *guard, const struct source *source, uint64_t now_ms) {
	int i = find(guard, source);
	return i >= 0 && guard->rows[i].wrong >= KEYGUARD_WRONG_MAX &&
	       now_ms - guard->rows[i].last_ms < KEYGUARD_LOCK_MS;
}

void keyguard_note_wrong(struct keyguard *guard, const struct source *source, uint64_t now_ms) {
	int i = find(guard, source);
	if (i >= 0 && now_ms - guard->rows[i].last_ms >= KEYGUARD_LOCK_MS) {
		guard->rows[i].wrong = 0;
	}
	if (i < 0) {
		i = 0; /* the one that was longest quiet gives way */
		for (int j = 1; j < KEYGUARD_SOURCES; j++) {
			if (guard->rows[j].last_ms < guard->rows[i].last_ms) {
				i = j;
			}
		}
		guard->rows[i].wrong = 0;
		guard->rows[i].source = *source;
	}
	guard->rows[i].wrong++;
	guard->rows[i].last_ms = now_ms;
}

void keyguard_note_right(struct keyguard *guard, const struct source *source) {
	int i = find(guard, source);
	if (i >= 0) {
		guard->rows[i].wrong = 0;
		guard->rows[i].last_ms = 0;
	}
}
