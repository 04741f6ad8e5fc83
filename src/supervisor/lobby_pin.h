/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_LOBBY_PIN_H
#define SUPERVISOR_LOBBY_PIN_H

#include <stdint.h>

/* A lobby's PIN: compared in constant time, guessed at most a few times a minute, told to
 * nobody. Pure. */

enum {
	LOBBY_PIN_SIZE = 20,
	LOBBY_PIN_GUESSES = 5, /* wrong ones, then it is not looked at */
	LOBBY_PIN_WINDOW_MS = 60000,
};

struct lobby_pin {
	char text[LOBBY_PIN_SIZE]; /* "": none */
	uint32_t wrong;            /* guesses since */
	uint64_t since_ms;
};

/* REASON_NONE, REASON_LOBBY_PIN or REASON_LOBBY_GUESSES. */
uint32_t lobby_pin_check(struct lobby_pin *pin, const char guess[LOBBY_PIN_SIZE], uint64_t now_ms);

#endif
