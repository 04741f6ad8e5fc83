/* SPDX-License-Identifier: MIT */
#ifndef GATE_KEYGUARD_H
#define GATE_KEYGUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/places.h"

/* How often a source may show a wrong key. Pure. */
enum {
	KEYGUARD_SOURCES = 64,
	KEYGUARD_WRONG_MAX = 8,       /* in a row, then it is locked out */
	KEYGUARD_LOCK_MS = 30 * 1000, /* and after which one wrong key is forgotten */
};

struct keyguard {
	struct {
		struct source source;
		unsigned wrong; /* 0: free */
		uint64_t last_ms;
	} rows[KEYGUARD_SOURCES];
};

/* True when the source has to wait: its key is not looked at. */
bool keyguard_is_locked(const struct keyguard *guard, const struct source *source, uint64_t now_ms);
void keyguard_note_wrong(struct keyguard *guard, const struct source *source, uint64_t now_ms);
void keyguard_note_right(struct keyguard *guard, const struct source *source);

#endif
