/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/ping.h"
#include "vector.h"

static void a_ping_carries_its_secret_and_counter(void **state) {
	(void)state;
	uint8_t bytes[PING_SIZE];
	ping_encode((const uint8_t *)"0123456789abcdef", 0x01020304, bytes);
	assert_bytes(bytes, sizeof(bytes),
			"30313233343536373839616263646566"
			"01020304");
	struct ping ping;
	assert_int_equal(ping_decode(bytes, sizeof(bytes), &ping), 0);
	assert_int_equal(ping.kind, PING_WITH_SECRET);
	assert_memory_equal(ping.secret, "0123456789abcdef", 16);
	assert_int_equal(ping.counter, 0x01020304);
}

static void the_four_letters_are_recognised_as_legacy(void **state) {
	(void)state;
	struct ping ping;
	assert_int_equal(ping_decode("PING", 4, &ping), 0);
	assert_int_equal(ping.kind, PING_LEGACY);
	assert_int_equal(ping_decode("PONG", 4, &ping), -EBADMSG);
}

static void any_other_length_is_refused(void **state) {
	(void)state;
	uint8_t bytes[40] = "PING";
	struct ping ping;
	for (size_t len = 0; len < sizeof(bytes); len++) {
		int rc = ping_decode(bytes, len, &ping);
		assert_int_equal(rc, len == 4 || len == PING_SIZE ? 0 : -EBADMSG);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_ping_carries_its_secret_and_counter),
		UNIT(the_four_letters_are_recognised_as_legacy),
		UNIT(any_other_length_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
