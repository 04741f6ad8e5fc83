/* SPDX-License-Identifier: MIT */
#include "supervisor/lobby_pin.h"

#include <stdbool.h>
#include <string.h>

#include "ipc/reason.h"

/* All of both is looked at, whatever is in there. */
static bool same(const char *a, const char *b) {
	char left[LOBBY_PIN_SIZE] = "", right[LOBBY_PIN_SIZE] = "";
	unsigned differs = 0;
	memcpy(left, a, strnlen(a, LOBBY_PIN_SIZE - 1));
	memcpy(right, b, strnlen(b, LOBBY_PIN_SIZE - 1));
	for (size_t i = 0; i < LOBBY_PIN_SIZE; i++) {
		differs |= (unsigned)(left[i] ^ right[i]);
	}
	explicit_bzero(left, sizeof(left));
	explicit_bzero(right, sizeof(right));
	return differs == 0;
}

uint32_t lobby_pin_check(struct lobby_pin *pin, const char guess[LOBBY_PIN_SIZE], uint64_t now_ms) {
	if (!pin->text[0]) {
		return REASON_NONE;
	}
	if (now_ms - pin->since_ms >= LOBBY_PIN_WINDOW_MS) {
		pin->wrong = 0;
	}
	if (pin->wrong >= LOBBY_PIN_GUESSES) {
		return REASON_LOBBY_GUESSES; /* the right one as well: else it would be guessing */
	}
	if (same(pin->text, guess)) {
		return REASON_NONE;
	}
	if (pin->wrong++ == 0) {
		pin->since_ms = now_ms;
	}
	return REASON_LOBBY_PIN;
}
