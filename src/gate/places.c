/* SPDX-License-Identifier: MIT */
#include "gate/places.h"

#include <assert.h>
#include <string.h>

struct source source_of(const struct address *address) {
	struct source source = { { 0 } };
	memcpy(source.bytes, address->ip, address_is_v4(address) ? 16 : 8);
	return source;
}

static bool same_source(const struct source *a, const struct source *b) {
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool places_knows(const struct places *places, const struct source *source) {
	for (unsigned i = 0; i < places->known_count; i++) {
		if (same_source(&places->known[i], source)) {
			return true;
		}
	}
	return false;
}

/* What a newcomer finds, and the oldest of each group that could give way. */
struct census {
	unsigned open, strangers, own;
	unsigned young, young_strangers, young_own;
	int free;
	int young_group, young_same; /* who of the same class, and source, would give way */
	int idle_any, idle_stranger, idle_same;
};

static void note_oldest(const struct places *places, int *oldest, unsigned index) {
	if (*oldest < 0 || places->place[index].since < places->place[*oldest].since) {
		*oldest = (int)index;
	}
}

/* Of young ones: the mute before those that have greeted, then by age. */
static void note_idler(const struct places *places, int *idler, unsigned index) {
	const struct place *place = &places->place[index];
	const struct place *other = *idler < 0 ? NULL : &places->place[*idler];
	if (!other || place->state < other->state ||
			(place->state == other->state && place->since < other->since)) {
		*idler = (int)index;
	}
}

static void count_young(const struct places *places, struct census *census, unsigned i, bool known,
		bool own) {
	const struct place *place = &places->place[i];
	census->young++;
	census->young_strangers += !place->known;
	census->young_own += own;
	if (own) {
		note_idler(places, &census->young_same, i);
	}
	if (place->known == known) {
		note_idler(places, &census->young_group, i);
	}
}

static void count_idle(const struct places *places, struct census *census, unsigned i, bool own) {
	note_oldest(places, &census->idle_any, i);
	if (!places->place[i].known) {
		note_oldest(places, &census->idle_stranger, i);
	}
	if (own) {
		note_oldest(places, &census->idle_same, i);
	}
}

static void take_census(const struct places *places, const struct source *source, bool known,
		struct census *out) {
	*out = (struct census){ .free = -1,
		.young_group = -1,
		.young_same = -1,
		.idle_any = -1,
		.idle_stranger = -1,
		.idle_same = -1 };
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		const struct place *place = &places->place[i];
		if (place->state == PLACE_FREE) {
			out->free = out->free < 0 ? (int)i : out->free;
			continue;
		}
		bool own = same_source(&place->source, source);
		out->open++;
		out->strangers += !place->known;
		out->own += own;
		if (place->state == PLACE_YOUNG || place->state == PLACE_GREETED) {
			count_young(places, out, i, known, own);
		} else if (place->state == PLACE_IDLE) {
			count_idle(places, out, i, own);
		}
	}
}

int places_choose(const struct places *places, const struct source *source) {
	bool known = places_knows(places, source);
	struct census census;
	take_census(places, source, known, &census);
	if (census.young_own >= (known ? PLACES_YOUNG_KNOWN_MAX : PLACES_YOUNG_STRANGER_MAX)) {
		return census.young_same;
	}
	if (!known && census.young_strangers >= PLACES_YOUNG_STRANGERS_MAX) {
		return census.young_group;
	}
	if (census.young >= PLACES_YOUNG_MAX) {
		return census.young_group >= 0 ? census.young_group : -ENOSPC;
	}
	if (!known && census.own >= PLACES_STRANGER_MAX) {
		return census.idle_same >= 0 ? census.idle_same : -ENOSPC;
	}
	if (!known && census.strangers >= PLACES_STRANGERS_MAX) {
		return census.idle_stranger >= 0 ? census.idle_stranger : -ENOSPC;
	}
	if (census.free >= 0) {
		return census.free;
	}
	return census.idle_any >= 0 ? census.idle_any : -EAGAIN;
}

void places_take(struct places *places, unsigned index, const struct source *source) {
	assert(places->place[index].state == PLACE_FREE);
	places->place[index] = (struct place){
		.state = PLACE_YOUNG,
		.known = places_knows(places, source),
		.source = *source,
		.since = ++places->changes,
	};
	places->open++;
}

void places_change(struct places *places, unsigned index, enum place_state state) {
	struct place *place = &places->place[index];
	assert(place->state != PLACE_FREE && state != PLACE_FREE);
	if (place->state != state) {
		place->state = state;
		place->since = ++places->changes;
	}
}

void places_free(struct places *places, unsigned index) {
	if (places->place[index].state != PLACE_FREE) {
		places->place[index] = (struct place){ .state = PLACE_FREE };
		places->open--;
	}
}

void places_know(struct places *places, unsigned index) {
	const struct source *source = &places->place[index].source;
	places->place[index].known = true;
	if (places_knows(places, source)) {
		return;
	}
	places->known[places->known_next] = *source;
	places->known_next = (places->known_next + 1) % PLACES_KNOWN_SOURCES;
	if (places->known_count < PLACES_KNOWN_SOURCES) {
		places->known_count++;
	}
}
