/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <stdlib.h>

#include "gate/keyguard.h"
#include "gate/places.h"

static struct source source(uint32_t number) {
	struct address address = { .ip = { [10] = 0xff,
						   [11] = 0xff,
						   10,
						   (uint8_t)(number >> 16),
						   (uint8_t)(number >> 8),
						   (uint8_t)number } };
	return source_of(&address);
}

static struct places *fresh(void **state) {
	struct places *places = *state;
	*places = (struct places){ .open = 0 };
	return places;
}

/* As the connection layer does it: evict, then take. Returns the place, or the refusal. */
static int arrive(struct places *places, uint32_t number) {
	struct source from = source(number);
	int place = places_choose(places, &from);
	if (place >= 0) {
		places_free(places, (unsigned)place);
		places_take(places, (unsigned)place, &from);
	}
	return place;
}

static void know(struct places *places, uint32_t number) {
	int place = arrive(places, number);
	places_know(places, (unsigned)place);
	places_free(places, (unsigned)place);
}

static unsigned count(const struct places *places, enum place_state state, bool known) {
	unsigned n = 0;
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		n += places->place[i].state == state && places->place[i].known == known;
	}
	return n;
}

static void one_source_evicts_its_own_oldest_newcomer(void **state) {
	struct places *places = fresh(state);
	int first = arrive(places, 1);
	for (unsigned i = 1; i < PLACES_YOUNG_STRANGER_MAX; i++) {
		assert_int_not_equal(arrive(places, 1), first);
	}
	assert_int_equal(arrive(places, 1), first);
	assert_int_equal(places->open, PLACES_YOUNG_STRANGER_MAX);
}

static int arrive_desk(struct places *places, uint64_t desk) {
	struct source from = source_of_desk(desk);
	int place = places_choose_desk(places, &from);
	if (place >= 0) {
		places_free(places, (unsigned)place);
		places_take(places, (unsigned)place, &from);
	}
	return place;
}

static void a_desktop_has_few_places_and_gives_way_to_itself(void **state) {
	struct places *places = fresh(state);
	int other = arrive_desk(places, 2);
	for (unsigned i = 0; i < 1000; i++) {
		int place = arrive_desk(places, 1);
		assert_true(place >= 0 && place != other);
	}
	assert_int_equal(places->open, PLACES_DESK_MAX + 1);
	/* Who waits for an answer keeps its place. */
	int own = -1;
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		if (places->place[i].state != PLACE_FREE && (int)i != other) {
			places_change(places, i, PLACE_BUSY);
			own = (int)i;
		}
	}
	assert_int_equal(arrive_desk(places, 1), -ENOSPC);
	places_change(places, (unsigned)own, PLACE_IDLE);
	assert_int_equal(arrive_desk(places, 1), own);
}

static void desktops_take_nothing_from_the_others(void **state) {
	struct places *places = fresh(state);
	know(places, 1);
	for (uint64_t desk = 1; desk < 1000; desk++) {
		for (unsigned i = 0; i < PLACES_DESK_MAX; i++) {
			int place = arrive_desk(places, desk);
			if (place >= 0) {
				places_change(places, (unsigned)place, PLACE_BUSY);
			}
		}
	}
	assert_int_equal(places->open, PLACES_DESKS_MAX);
	/* All that strangers and known ones may have is there. */
	unsigned strangers = 0;
	for (unsigned i = 0; i < 1000; i++) {
		int place = arrive(places, 100 + i % 50);
		strangers += place >= 0;
		if (place >= 0) {
			places_change(places, (unsigned)place, PLACE_BUSY);
		}
	}
	assert_int_equal(strangers, PLACES_STRANGERS_MAX);
	assert_true(arrive(places, 1) >= 0);
}

static void who_has_said_hello_stays_longer_than_the_mute(void **state) {
	struct places *places = fresh(state);
	int first = arrive(places, 1);
	places_change(places, (unsigned)first, PLACE_GREETED);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_not_equal(arrive(places, 1), first);
	}
	/* Until all have: then age decides. */
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		if (places->place[i].state == PLACE_YOUNG) {
			places_change(places, i, PLACE_GREETED);
		}
	}
	assert_int_equal(arrive(places, 1), first);
}

/* The idlers have all said hello: a newcomer's own hello is still on its way. */
static void a_newcomer_has_time_to_say_hello_among_greeted_idlers(void **state) {
	struct places *places = fresh(state);
	for (unsigned i = 0; i < PLACES_YOUNG_STRANGER_MAX; i++) {
		places_change(places, (unsigned)arrive(places, 1), PLACE_GREETED);
	}
	int honest = arrive(places, 1);
	for (unsigned i = 0; i < PLACES_YOUNG_STRANGER_MAX / 2 - 1; i++) {
		int idler = arrive(places, 1);
		assert_int_not_equal(idler, honest);
		places_change(places, (unsigned)idler, PLACE_GREETED);
	}
	/* Its hello has come: as much time again, and more, for the rest of the handshake. */
	places_change(places, (unsigned)honest, PLACE_GREETED);
	for (unsigned i = 0; i < PLACES_YOUNG_STRANGER_MAX - 1; i++) {
		int idler = arrive(places, 1);
		assert_int_not_equal(idler, honest);
		places_change(places, (unsigned)idler, i % 2 ? PLACE_GREETED : PLACE_YOUNG);
	}
}

static void strangers_leave_half_of_the_young_places_to_known_sources(void **state) {
	struct places *places = fresh(state);
	know(places, 1);
	for (unsigned i = 0; i < 10000; i++) {
		assert_true(arrive(places, 100 + i) >= 0);
	}
	assert_int_equal(count(places, PLACE_YOUNG, false), PLACES_YOUNG_STRANGERS_MAX);
	int paired = arrive(places, 1);
	assert_true(paired >= 0);
	/* However many strangers come, they evict only each other. */
	for (unsigned i = 0; i < 10000; i++) {
		assert_int_not_equal(arrive(places, 20000 + i), paired);
	}
	assert_true(places->place[paired].known);
}

static void strangers_cannot_take_all_places_for_good(void **state) {
	struct places *places = fresh(state);
	know(places, 1);
	unsigned refused = 0;
	for (unsigned i = 0; i < 2000; i++) {
		int place = arrive(places, 100 + i % 50);
		if (place >= 0) {
			places_change(places, (unsigned)place, PLACE_BUSY);
		} else {
			assert_int_equal(place, -ENOSPC);
			refused++;
		}
	}
	assert_int_equal(places->open, PLACES_STRANGERS_MAX);
	assert_int_equal(refused, 2000 - PLACES_STRANGERS_MAX);
	/* Idle ones give way. */
	places_change(places, 5, PLACE_IDLE);
	assert_int_equal(arrive(places, 9999), 5);
	/* Known ones find room until all is full. */
	for (unsigned i = 0; i < PLACES_MAX - PLACES_STRANGERS_MAX; i++) {
		int place = arrive(places, 1);
		assert_true(place >= 0);
		places_change(places, (unsigned)place, PLACE_BUSY);
	}
	assert_int_equal(places->open, PLACES_MAX);
	assert_int_equal(arrive(places, 1), -EAGAIN);
}

static void an_ipv6_source_is_its_64_bit_network(void **state) {
	(void)state;
	struct address a = { .ip = { 0x20, 1, 0xd, 0xb8, [15] = 1 } };
	struct address b = { .ip = { 0x20, 1, 0xd, 0xb8, [8] = 7, [15] = 2 } };
	struct address c = { .ip = { 0x20, 1, 0xd, 0xb8, [7] = 1 } };
	struct source sa = source_of(&a), sb = source_of(&b), sc = source_of(&c);
	assert_memory_equal(&sa, &sb, sizeof(sa));
	assert_memory_not_equal(&sa, &sc, sizeof(sa));
}

static void wrong_keys_lock_out_their_source_for_a_while(void **state) {
	(void)state;
	struct keyguard guard = { 0 };
	struct source bad = source(1), good = source(2);
	uint64_t now = 100000;
	for (unsigned i = 0; i < KEYGUARD_WRONG_MAX; i++) {
		assert_false(keyguard_is_locked(&guard, &bad, now));
		keyguard_note_wrong(&guard, &bad, now);
	}
	assert_true(keyguard_is_locked(&guard, &bad, now + KEYGUARD_LOCK_MS - 1));
	assert_false(keyguard_is_locked(&guard, &bad, now + KEYGUARD_LOCK_MS));
	assert_false(keyguard_is_locked(&guard, &good, now));
	keyguard_note_wrong(&guard, &good, now);
	keyguard_note_right(&guard, &good);
	for (unsigned i = 0; i < KEYGUARD_WRONG_MAX - 1; i++) {
		keyguard_note_wrong(&guard, &good, now);
	}
	assert_false(keyguard_is_locked(&guard, &good, now));
	/* More sources than rows: the oldest are forgotten, the table holds. */
	for (unsigned i = 0; i < 10 * KEYGUARD_SOURCES; i++) {
		struct source other = source(1000 + i);
		keyguard_note_wrong(&guard, &other, now + i);
	}
}

static int setup(void **state) {
	*state = calloc(1, sizeof(struct places));
	return *state ? 0 : -1;
}

static int teardown(void **state) {
	free(*state);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(one_source_evicts_its_own_oldest_newcomer),
		UNIT(a_desktop_has_few_places_and_gives_way_to_itself),
		UNIT(desktops_take_nothing_from_the_others),
		UNIT(who_has_said_hello_stays_longer_than_the_mute),
		UNIT(a_newcomer_has_time_to_say_hello_among_greeted_idlers),
		UNIT(strangers_leave_half_of_the_young_places_to_known_sources),
		UNIT(strangers_cannot_take_all_places_for_good),
		UNIT(an_ipv6_source_is_its_64_bit_network),
		UNIT(wrong_keys_lock_out_their_source_for_a_while),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
