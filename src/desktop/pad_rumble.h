/* SPDX-License-Identifier: MIT */
#ifndef DESKTOP_PAD_RUMBLE_H
#define DESKTOP_PAD_RUMBLE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/input.h>

#include "base/own.h"

/* The force feedback of one pad (Documentation/input/ff.rst): which effects apps have put
 * into it, which of them play, and how strong its two motors are for that now. Pure; times
 * are monotonic milliseconds. */
enum {
	PAD_RUMBLE_EFFECTS = 16,
	PAD_RUMBLE_GAIN_MAX = 0xffff,
};

struct pad_rumble_effect {
	bool known, plays;
	uint16_t strong, weak;        /* 0 to 65535 */
	uint16_t length_ms, delay_ms; /* length 0: until it is stopped */
	uint64_t from_ms, until_ms;   /* while it plays; until 0: until it is stopped */
};

struct pad_rumble {
	struct pad_rumble_effect effects[PAD_RUMBLE_EFFECTS];
	uint16_t gain; /* of PAD_RUMBLE_GAIN_MAX */
};

/* Nothing plays, at full gain. */
void pad_rumble_init(struct pad_rumble *rumble);

/* An app's effect, new or in place of one that may play. -EINVAL for what no motor does. */
int pad_rumble_put(struct pad_rumble *rumble, const struct ff_effect *effect) NODISCARD;

/* -EINVAL for one that is not there. */
int pad_rumble_erase(struct pad_rumble *rumble, uint32_t id) NODISCARD;

/* An EV_FF event: plays an effect value times, 0 stops it; or sets the gain. What else
 * there may be is let be. */
void pad_rumble_event(struct pad_rumble *rumble, uint16_t code, int32_t value, uint64_t now_ms);

/* How strong the motors are; what is over is noticed by asking. */
void pad_rumble_level(struct pad_rumble *rumble, uint64_t now_ms, uint16_t *out_strong,
		uint16_t *out_weak);

/* When the level changes by itself; 0: never. */
uint64_t pad_rumble_deadline(const struct pad_rumble *rumble, uint64_t now_ms);

#endif
