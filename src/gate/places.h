/* SPDX-License-Identifier: MIT */
#ifndef GATE_PLACES_H
#define GATE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"

/* Who may have a connection when places are short: counting and choosing only, no
 * socket and no clock.
 *
 * A connection is young until its first whole request has arrived: that is what an
 * attacker can hold for nothing. When young places run out, one of the same group gives way
 * to the newcomer: the oldest that had its time and has not even said hello, else the oldest,
 * because an honest client says hello at once and needs its place for some milliseconds, an
 * idler for seconds. The newer half of the group is never taken. Half of everything is kept for
 * sources that have shown the certificate of a paired client. */
enum {
	PLACES_MAX = 768,
	PLACES_STRANGERS_MAX = PLACES_MAX / 2,
	PLACES_STRANGER_MAX = 128, /* of one source */
	PLACES_YOUNG_MAX = 256,
	PLACES_YOUNG_STRANGERS_MAX = PLACES_YOUNG_MAX / 2,
	PLACES_YOUNG_STRANGER_MAX = 64, /* of one source */
	PLACES_YOUNG_KNOWN_MAX = 128,   /* of one source */
	PLACES_KNOWN_SOURCES = 256,
	PLACES_DESK_MAX = 8,    /* of the programs on one desktop */
	PLACES_DESKS_MAX = 192, /* of those on all: the others' are not touched by it */
};

/* An IPv4 address, or the /64 of an IPv6 one: who has one address of it has all. Or a
 * desktop: one program on it is as good as another. */
struct source {
	uint8_t bytes[16];
};

struct source source_of(const struct address *address);
struct source source_of_desk(uint64_t desk);

enum place_state {
	PLACE_FREE,
	PLACE_YOUNG,
	PLACE_GREETED, /* young, too, but a whole ClientHello has come */
	PLACE_BUSY,
	PLACE_IDLE, /* kept alive, may be taken away */
};

struct place {
	enum place_state state;
	bool known;
	struct source source;
	uint64_t since; /* rises with every change: smaller is older */
};

struct places {
	struct place place[PLACES_MAX];
	struct source known[PLACES_KNOWN_SOURCES]; /* the last ones, in a ring */
	unsigned known_count, known_next;
	unsigned open;
	uint64_t changes;
};

/* Finds a place for a newcomer. Returns its index; when it is not free, the caller
 * closes the connection in it first (that calls places_free()). -EAGAIN when every place
 * is in use: stop accepting. -ENOSPC when this source may not have one more. */
int places_choose(const struct places *places, const struct source *source) NODISCARD;

/* The same for a desktop's: only what such have gives way to it. */
int places_choose_desk(const struct places *places, const struct source *source) NODISCARD;

void places_take(struct places *places, unsigned index, const struct source *source);
void places_change(struct places *places, unsigned index, enum place_state state);
void places_free(struct places *places, unsigned index);

/* The source has shown a paired client's certificate. */
void places_know(struct places *places, unsigned index);
bool places_knows(const struct places *places, const struct source *source);

#endif
