/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "host/tcp_states.h"

static void count(const char *text, uint32_t counts[TCP_STATES_MAX]) {
	static const uint16_t ports[TCP_STATES_PORTS] = { 8080, 47990 };
	char copy[4096];
	size_t len = strlen(text);
	assert_true(len < sizeof(copy));
	memcpy(copy, text, len + 1);
	OWN(file_close) FILE *file = fmemopen(copy, len + 1, "r");
	assert_non_null(file);
	tcp_states_count(file, ports, counts);
}

static void our_ports_are_counted_by_state(void **state) {
	(void)state;
	uint32_t counts[TCP_STATES_MAX] = { 0 };
	count("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
	      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000\n"
	      "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000\n"
	      "   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000\n"
	      "   3: 0100007F:BB76 0100007F:C351 08 00000000:00000000 00:00000000 00000000  1000\n",
			counts);
	count("  12: 00000000000000000000000001000000:BB76 00000000000000000000000001000000:9C40 "
	      "08 0\n",
			counts);
	assert_int_equal(counts[10], 1);
	assert_int_equal(counts[1], 1);
	assert_int_equal(counts[8], 2);
}

static void nonsense_is_passed_over(void **state) {
	(void)state;
	uint32_t counts[TCP_STATES_MAX] = { 0 };
	static const char *const lines[] = { "", "\n", ":", ": :", "a:b:c:d", "0: 0:1F90 0:0",
		"0: 0:1F90 0:0 \n", "0: 0:1F90 0:0 FF \n", "0: 0:xyz 0:0 01 \n" };
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		count(lines[i], counts);
	}
	for (unsigned i = 0; i < TCP_STATES_MAX; i++) {
		assert_int_equal(counts[i], 0);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(our_ports_are_counted_by_state),
		UNIT(nonsense_is_passed_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
