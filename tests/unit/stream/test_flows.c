/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "base/clock.h"
#include "stream/flows.h"

#define MS NS_PER_MS

static const uint8_t ours[PING_SECRET_SIZE] = "0123456789ABCDEF";
static const uint8_t theirs[PING_SECRET_SIZE] = "0123456789ABCDEE";

static struct ping ping_of(const uint8_t *secret, uint32_t counter) {
	struct ping ping = { .kind = PING_WITH_SECRET, .counter = counter };
	memcpy(ping.secret, secret, sizeof(ping.secret));
	return ping;
}

static struct flow heard_at(uint64_t now_ns, uint32_t counter) {
	struct flow flow;
	flow_init(&flow, FLOW_VIDEO, NULL);
	flow.fd = 0; /* here; never used */
	memcpy(flow.secret, ours, sizeof(ours));
	flow.heard_ns = now_ns;
	flow.counter = counter;
	return flow;
}

static void the_first_flow_is_taken(void **state) {
	(void)state;
	struct flow flow;
	flow_init(&flow, FLOW_VIDEO, NULL);
	struct ping ping = ping_of(ours, 1), legacy = { .kind = PING_LEGACY };
	assert_true(flow_may_move(&flow, &ping, 0));
	assert_false(flow_may_move(&flow, &legacy, 0));
}

static void a_flow_moves_only_after_three_missed_pings(void **state) {
	(void)state;
	struct flow flow = heard_at(1000 * MS, 10);
	struct ping ping = ping_of(ours, 11);
	assert_false(flow_may_move(&flow, &ping, 1000 * MS));
	assert_false(flow_may_move(&flow, &ping, 2499 * MS));
	assert_true(flow_may_move(&flow, &ping, 2500 * MS));
}

static void a_flow_never_moves_for_an_old_or_foreign_ping(void **state) {
	(void)state;
	struct flow flow = heard_at(1000 * MS, 10);
	struct ping old = ping_of(ours, 10), foreign = ping_of(theirs, 11);
	assert_false(flow_may_move(&flow, &old, 9000 * MS));
	assert_false(flow_may_move(&flow, &foreign, 9000 * MS));
}

static void pings_count_when_they_are_newer_and_ours(void **state) {
	(void)state;
	struct flow flow = heard_at(1000 * MS, 10);
	uint8_t bytes[PING_SIZE];
	ping_encode(ours, 11, bytes);
	assert_true(flow_ping(&flow, bytes, sizeof(bytes), 1500 * MS));
	assert_false(flow_ping(&flow, bytes, sizeof(bytes), 1600 * MS));
	ping_encode(theirs, 12, bytes);
	assert_false(flow_ping(&flow, bytes, sizeof(bytes), 1700 * MS));
	assert_false(flow_ping(&flow, "PING", 4, 1800 * MS));
	assert_int_equal(flow.counters.pings, 1);
	assert_int_equal(flow.counters.strange, 3);
	assert_true(flow.heard_ns == 1500 * MS);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_first_flow_is_taken),
		UNIT(a_flow_moves_only_after_three_missed_pings),
		UNIT(a_flow_never_moves_for_an_old_or_foreign_ping),
		UNIT(pings_count_when_they_are_newer_and_ours),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
