/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdint.h>
#include <string.h>

#include "base/clock.h"
#include "cli/probe_impair.h"

enum {
	MANY = 5000,
};

static struct impair *make(struct impair_config config) {
	struct impair *impair;
	assert_int_equal(impair_create(&config, &impair), 0);
	return impair;
}

static uint32_t push_and_count(struct impair_config config, uint64_t *out_fate) {
	OWN(impair_destroy) struct impair *impair = make(config);
	uint32_t came = 0;
	uint64_t fate = 0;
	for (uint32_t i = 0; i < MANY; i++) {
		uint64_t now_ns = i * NS_PER_MS;
		impair_push(impair, 1, &i, sizeof(i), now_ns);
		const struct impair_datagram *datagram;
		while ((datagram = impair_pop(impair, now_ns))) {
			came++;
			uint32_t value;
			memcpy(&value, datagram->bytes, sizeof(value));
			fate = fate * 31 + value;
		}
	}
	*out_fate = fate;
	return came;
}

static void a_good_network_changes_nothing(void **state) {
	(void)state;
	uint64_t fate;
	assert_int_equal(push_and_count((struct impair_config){ .seed = 1 }, &fate), MANY);
	assert_false(impair_is_needed(&(struct impair_config){ .seed = 1 }));
	assert_true(impair_is_needed(&(struct impair_config){ .delay_ms = 1 }));
}

static void the_share_asked_for_is_lost(void **state) {
	(void)state;
	uint64_t fate;
	uint32_t came = push_and_count((struct impair_config){ .drop = 0.1, .seed = 7 }, &fate);
	assert_in_range(came, MANY * 88 / 100, MANY * 92 / 100);
	assert_int_equal(push_and_count((struct impair_config){ .drop = 1 }, &fate), 0);
}

static void the_same_seed_hits_the_same_datagrams(void **state) {
	(void)state;
	uint64_t a, b, c;
	struct impair_config config = {
		.drop = 0.05, .duplicate = 0.05, .reorder = 0.05, .seed = 3
	};
	push_and_count(config, &a);
	push_and_count(config, &b);
	config.seed = 4;
	push_and_count(config, &c);
	assert_int_equal(a, b);
	assert_int_not_equal(a, c);
}

static void duplicates_come_twice(void **state) {
	(void)state;
	uint64_t fate;
	assert_int_equal(push_and_count((struct impair_config){ .duplicate = 1 }, &fate), 2 * MANY);
}

static void a_delay_is_kept_to_the_nanosecond_and_keeps_order(void **state) {
	(void)state;
	OWN(impair_destroy) struct impair *impair = make((struct impair_config){ .delay_ms = 30 });
	for (uint8_t i = 0; i < 100; i++) {
		impair_push(impair, i, &i, 1, 1000);
	}
	assert_int_equal(impair_next_deadline(impair), 1000 + 30 * NS_PER_MS);
	assert_null(impair_pop(impair, 999 + 30 * NS_PER_MS));
	for (uint8_t i = 0; i < 100; i++) {
		const struct impair_datagram *datagram = impair_pop(impair, 1000 + 30 * NS_PER_MS);
		assert_non_null(datagram);
		assert_int_equal(datagram->flow, i);
		assert_int_equal(datagram->len, 1);
	}
	assert_int_equal(impair_next_deadline(impair), UINT64_MAX);
}

static void an_overtaken_datagram_comes_after_the_next(void **state) {
	(void)state;
	OWN(impair_destroy)
	struct impair *impair = make((struct impair_config){ .reorder = 0.5, .seed = 11 });
	uint32_t last = 0, backwards = 0, came = 0;
	for (uint32_t i = 1; i <= 200; i++) {
		uint64_t now_ns = i * NS_PER_MS;
		impair_push(impair, i, "x", 1, now_ns);
		const struct impair_datagram *datagram;
		while ((datagram = impair_pop(impair, now_ns))) {
			backwards += datagram->flow < last;
			last = datagram->flow;
			came++;
		}
	}
	assert_in_range(backwards, 20, 180);
	assert_in_range(came, 190, 200);
	assert_int_not_equal(impair_stats(impair)->reordered, 0);
}

static void shares_beyond_all_and_datagrams_too_long_are_refused(void **state) {
	(void)state;
	struct impair *impair;
	assert_int_equal(impair_create(&(struct impair_config){ .drop = 1.01 }, &impair), -EINVAL);
	assert_int_equal(impair_create(&(struct impair_config){ .reorder = -0.1 }, &impair),
			-EINVAL);
	OWN(impair_destroy) struct impair *good = make((struct impair_config){ 0 });
	static const uint8_t long_one[IMPAIR_DATAGRAM_MAX + 1];
	impair_push(good, 0, long_one, sizeof(long_one), 0);
	assert_null(impair_pop(good, UINT64_MAX));
	assert_int_equal(impair_stats(good)->dropped, 1);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_good_network_changes_nothing),
		UNIT(the_share_asked_for_is_lost),
		UNIT(the_same_seed_hits_the_same_datagrams),
		UNIT(duplicates_come_twice),
		UNIT(a_delay_is_kept_to_the_nanosecond_and_keeps_order),
		UNIT(an_overtaken_datagram_comes_after_the_next),
		UNIT(shares_beyond_all_and_datagrams_too_long_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
