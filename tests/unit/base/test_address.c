/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "base/address.h"

static void both_families_go_both_ways(void **state) {
	(void)state;
	const char *const texts[] = { "192.0.2.1", "2001:db8::1", "127.0.0.1", "::1" };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct address address, again;
		assert_int_equal(address_parse_ip(texts[i], &address), 0);
		address.port = 47989;
		struct sockaddr_in6 sa;
		address_to_sockaddr(&address, &sa);
		assert_int_equal(address_from_sockaddr((struct sockaddr *)&sa, sizeof(sa), &again),
				0);
		assert_true(address_same(&address, &again));
		char text[ADDRESS_TEXT_MAX];
		address_ip_text(&again, text);
		assert_string_equal(text, texts[i]);
	}
}

static void mapped_and_plain_v4_are_one(void **state) {
	(void)state;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
	struct address a, b;
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&in, sizeof(in), &a), 0);
	assert_int_equal(address_parse_ip("::ffff:192.0.2.1", &b), 0);
	assert_true(address_same_ip(&a, &b));
	assert_true(address_is_v4(&a));
	assert_false(address_is_loopback(&a));
}

static void names_are_not_addresses(void **state) {
	(void)state;
	struct address address;
	assert_int_equal(address_parse_ip("localhost", &address), -EBADMSG);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(both_families_go_both_ways),
		UNIT(mapped_and_plain_v4_are_one),
		UNIT(names_are_not_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
