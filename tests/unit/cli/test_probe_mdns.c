/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "cli/probe_mdns.h"

/* clang-format off */
/* Built by hand after RFC 1035 section 4.1: what a responder says to the question. */
static const uint8_t answer[] = {
	0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 3,
	/* 12: _nvstream._tcp.local PTR  box._nvstream._tcp.local */
	9, '_', 'n', 'v', 's', 't', 'r', 'e', 'a', 'm', 4, '_', 't', 'c', 'p', 5, 'l', 'o', 'c', 'a', 'l', 0,
	0, 12, 0, 1, 0, 0, 0x11, 0x94, 0, 6,
	/* 44 */ 3, 'b', 'o', 'x', 0xc0, 12,
	/* 50: box... SRV 0 0 47989 box.local */
	0xc0, 44, 0, 33, 0x80, 1, 0, 0, 0, 120, 0, 12,
	0, 0, 0, 0, 0xbb, 0x75, /* 68 */ 3, 'b', 'o', 'x', 0xc0, 27,
	/* box.local A 192.0.2.7 */
	0xc0, 68, 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 192, 0, 2, 7,
	/* box.local TXT, skipped */
	0xc0, 68, 0, 16, 0x80, 1, 0, 0, 0, 120, 0, 1, 0,
};
/* clang-format on */

static void an_answer_is_read_with_its_pointers(void **state) {
	(void)state;
	struct mdns_record records[8];
	assert_int_equal(mdns_answer_parse(answer, sizeof(answer), records, 8), 3);
	assert_int_equal(records[0].type, MDNS_PTR);
	assert_string_equal(records[0].name, MDNS_SERVICE);
	assert_string_equal(records[0].target, "box." MDNS_SERVICE);
	assert_int_equal(records[1].type, MDNS_SRV);
	assert_int_equal(records[1].port, 47989);
	assert_string_equal(records[1].target, "box.local");
	assert_int_equal(records[2].type, MDNS_A);
	char text[ADDRESS_TEXT_MAX];
	address_ip_text(&records[2].address, text);
	assert_string_equal(text, "192.0.2.7");
	assert_int_equal(mdns_answer_parse(answer, sizeof(answer), records, 1), 1);
}

static void every_truncation_is_refused(void **state) {
	(void)state;
	for (size_t len = 0; len < sizeof(answer); len++) {
		uint8_t *exact = malloc(len + !len);
		memcpy(exact, answer, len);
		struct mdns_record records[8];
		assert_int_equal(mdns_answer_parse(exact, len, records, 8), -EBADMSG);
		free(exact);
	}
}

static void a_name_that_points_at_itself_is_refused(void **state) {
	(void)state;
	uint8_t bad[sizeof(answer)];
	memcpy(bad, answer, sizeof(answer));
	bad[49] = 44; /* "box" followed by a pointer to itself */
	struct mdns_record records[8];
	assert_int_equal(mdns_answer_parse(bad, sizeof(bad), records, 8), -EBADMSG);
}

static void a_question_is_written_and_is_no_answer(void **state) {
	(void)state;
	uint8_t query[MDNS_QUERY_MAX];
	int len = mdns_query_write(MDNS_SERVICE, MDNS_PTR, query, sizeof(query));
	assert_int_equal(len, 12 + 22 + 4);
	assert_memory_equal(query + 12, answer + 12, 22);
	assert_memory_equal(query + 34, ((const uint8_t[]){ 0, 12, 0x80, 1 }), 4);
	struct mdns_record records[8];
	assert_int_equal(mdns_answer_parse(query, (size_t)len, records, 8), -ENOENT);
	assert_int_equal(mdns_query_write("a..b", MDNS_PTR, query, sizeof(query)), -EINVAL);
	assert_int_equal(mdns_query_write(MDNS_SERVICE, MDNS_PTR, query, 20), -ENOSPC);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(an_answer_is_read_with_its_pointers),
		UNIT(every_truncation_is_refused),
		UNIT(a_name_that_points_at_itself_is_refused),
		UNIT(a_question_is_written_and_is_no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
