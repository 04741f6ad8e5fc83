/* SPDX-License-Identifier: MIT */
#include "desktop/pad_rumble.h"

#include <errno.h>

enum {
	LEVEL_MAX = 0xffff,
	MAGNITUDE_MAX = 0x7fff,
};

void pad_rumble_init(struct pad_rumble *rumble) {
	*rumble = (struct pad_rumble){ .gain = PAD_RUMBLE_GAIN_MAX };
}

static uint16_t doubled(int magnitude) {
	int size = magnitude < 0 ? -magnitude : magnitude;
	return (uint16_t)((size > MAGNITUDE_MAX ? MAGNITUDE_MAX : size) * 2);
}

int pad_rumble_put(struct pad_rumble *rumble, const struct ff_effect *effect) {
	if (effect->id < 0 || effect->id >= PAD_RUMBLE_EFFECTS) {
		return -EINVAL;
	}
	struct pad_rumble_effect *at = &rumble->effects[effect->id];
	struct pad_rumble_effect is = *at;
	if (effect->type == FF_RUMBLE) {
		is.strong = effect->u.rumble.strong_magnitude;
		is.weak = effect->u.rumble.weak_magnitude;
	} else if (effect->type == FF_PERIODIC) {
		is.strong = is.weak = doubled(effect->u.periodic.magnitude);
	} else {
		return -EINVAL;
	}
	is.known = true;
	is.length_ms = effect->replay.length;
	is.delay_ms = effect->replay.delay;
	*at = is;
	return 0;
}

int pad_rumble_erase(struct pad_rumble *rumble, uint32_t id) {
	if (id >= PAD_RUMBLE_EFFECTS || !rumble->effects[id].known) {
		return -EINVAL;
	}
	rumble->effects[id] = (struct pad_rumble_effect){ .known = false };
	return 0;
}

static void play(struct pad_rumble_effect *effect, int32_t times, uint64_t now_ms) {
	uint64_t one = (uint64_t)effect->length_ms + effect->delay_ms;
	effect->plays = times > 0;
	effect->from_ms = now_ms + effect->delay_ms;
	effect->until_ms = effect->length_ms ? now_ms + one * (uint32_t)times : 0;
}

void pad_rumble_event(struct pad_rumble *rumble, uint16_t code, int32_t value, uint64_t now_ms) {
	if (code == FF_GAIN) {
		rumble->gain = (uint16_t)(value < 0 ? 0 : value > LEVEL_MAX ? LEVEL_MAX : value);
	} else if (code < PAD_RUMBLE_EFFECTS && rumble->effects[code].known) {
		play(&rumble->effects[code], value, now_ms);
	}
}

/* Several at once are as strong as they are together. */
static uint16_t sum(uint16_t one, uint16_t other) {
	unsigned both = (unsigned)one + other;
	return (uint16_t)(both > LEVEL_MAX ? LEVEL_MAX : both);
}

void pad_rumble_level(struct pad_rumble *rumble, uint64_t now_ms, uint16_t *out_strong,
		uint16_t *out_weak) {
	uint16_t strong = 0, weak = 0;
	for (unsigned i = 0; i < PAD_RUMBLE_EFFECTS; i++) {
		struct pad_rumble_effect *effect = &rumble->effects[i];
		effect->plays = effect->plays && (!effect->until_ms || now_ms < effect->until_ms);
		if (effect->plays && now_ms >= effect->from_ms) {
			strong = sum(strong, effect->strong);
			weak = sum(weak, effect->weak);
		}
	}
	*out_strong = (uint16_t)((uint32_t)strong * rumble->gain / LEVEL_MAX);
	*out_weak = (uint16_t)((uint32_t)weak * rumble->gain / LEVEL_MAX);
}

uint64_t pad_rumble_deadline(const struct pad_rumble *rumble, uint64_t now_ms) {
	uint64_t first = 0;
	for (unsigned i = 0; i < PAD_RUMBLE_EFFECTS; i++) {
		const struct pad_rumble_effect *effect = &rumble->effects[i];
		uint64_t next = effect->from_ms > now_ms ? effect->from_ms : effect->until_ms;
		if (effect->plays && next > now_ms && (first == 0 || next < first)) {
			first = next;
		}
	}
	return first;
}
