/* SPDX-License-Identifier: MIT */
#include "gate/places.h"

#include <assert.h>
#include <string.h>

struct source source_of(const struct address *address) {
	struct source source = { { 0 } };
	memcpy(source.bytes, address->ip, address_is_v4(address) ? 16 : 8);
	return source;
}

/* As no address begins: of multicast. */
static const uint8_t desk_mark = 0xff;

struct source source_of_desk(uint64_t desk) {
	struct source source = { { desk_mark } };
	memcpy(source.bytes + 8, &desk, sizeof(desk));
	return source;
}

static bool is_desk(const struct source *source) {
	return source->bytes[0] == desk_mark;
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

/* Young places of one source, or of one class (known sources, or strangers). */
struct young {
	unsigned count;
	int oldest, oldest_mute; /* -1: none */
};

/* What a newcomer finds, and the oldest of each group that could give way. */
struct census {
	unsigned open, strangers, own;
	unsigned young, young_strangers;
	int free;
	struct young same_class, same_source;
	int idle_any, idle_stranger, idle_same;
};

static void note_oldest(const struct places *places, int *oldest, unsigned index) {
	if (*oldest < 0 || places->place[index].since < places->place[*oldest].since) {
		*oldest = (int)index;
	}
}

static bool is_young(const struct place *place) {
	return place->state == PLACE_YOUNG || place->state == PLACE_GREETED;
}

static void note_young(const struct places *places, struct young *young, unsigned index) {
	young->count++;
	note_oldest(places, &young->oldest, index);
	if (places->place[index].state == PLACE_YOUNG) {
		note_oldest(places, &young->oldest_mute, index);
	}
}

static void count_young(const struct places *places, struct census *census, unsigned i, bool known,
		bool own) {
	const struct place *place = &places->place[i];
	census->young++;
	census->young_strangers += !place->known;
	if (own) {
		note_young(places, &census->same_source, i);
	}
	if (place->known == known) {
		note_young(places, &census->same_class, i);
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
		.same_class = { .oldest = -1, .oldest_mute = -1 },
		.same_source = { .oldest = -1, .oldest_mute = -1 },
		.idle_any = -1,
		.idle_stranger = -1,
		.idle_same = -1 };
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		const struct place *place = &places->place[i];
		if (place->state == PLACE_FREE) {
			out->free = out->free < 0 ? (int)i : out->free;
			continue;
		}
		if (is_desk(&place->source)) { /* counted for themselves */
			out->open++;
			continue;
		}
		bool own = same_source(&place->source, source);
		out->open++;
		out->strangers += !place->known;
		out->own += own;
		if (is_young(place)) {
			count_young(places, out, i, known, own);
		} else if (place->state == PLACE_IDLE) {
			count_idle(places, out, i, own);
		}
	}
}

/* Who of the group gives way: the oldest mute one, if it had its time to say hello, else the
 * oldest. The newer half has not: were a newcomer to go first for being mute among those that
 * have all greeted, whoever greets and idles would keep everybody else out.
 * source NULL: of the class. */
static int choose_idler(const struct places *places, const struct young *young,
		const struct source *source, bool known) {
	if (young->oldest_mute < 0) {
		return young->oldest;
	}
	uint64_t since = places->place[young->oldest_mute].since;
	unsigned older = 0;
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		const struct place *place = &places->place[i];
		bool belongs = source ? same_source(&place->source, source) : place->known == known;
		older += is_young(place) && belongs && place->since < since;
	}
	return older < young->count / 2 ? young->oldest_mute : young->oldest;
}

int places_choose(const struct places *places, const struct source *source) {
	bool known = places_knows(places, source);
	struct census census;
	take_census(places, source, known, &census);
	if (census.same_source.count >=
			(known ? PLACES_YOUNG_KNOWN_MAX : PLACES_YOUNG_STRANGER_MAX)) {
		return choose_idler(places, &census.same_source, source, known);
	}
	if (!known && census.young_strangers >= PLACES_YOUNG_STRANGERS_MAX) {
		return choose_idler(places, &census.same_class, NULL, known);
	}
	if (census.young >= PLACES_YOUNG_MAX) {
		return census.same_class.count > 0
				       ? choose_idler(places, &census.same_class, NULL, known)
				       : -ENOSPC;
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

int places_choose_desk(const struct places *places, const struct source *source) {
	unsigned own = 0, desks = 0;
	int free = -1, oldest_own = -1, oldest = -1;
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		const struct place *place = &places->place[i];
		if (place->state == PLACE_FREE) {
			free = free < 0 ? (int)i : free;
		} else if (is_desk(&place->source)) {
			bool mine = same_source(&place->source, source);
			own += mine;
			desks++;
			if (place->state != PLACE_BUSY) {
				note_oldest(places, &oldest, i);
			}
			if (place->state != PLACE_BUSY && mine) {
				note_oldest(places, &oldest_own, i);
			}
		}
	}
	int gives_way = own >= PLACES_DESK_MAX ? oldest_own : oldest;
	if (own < PLACES_DESK_MAX && desks < PLACES_DESKS_MAX && free >= 0) {
		return free;
	}
	return gives_way >= 0 ? gives_way : -ENOSPC;
}

void places_take(struct places *places, unsigned index, const struct source *source) {
	assert(places->place[index].state == PLACE_FREE);
	places->place[index] = (struct place){
		.state = PLACE_YOUNG,
		.known = !is_desk(source) && places_knows(places, source),
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
