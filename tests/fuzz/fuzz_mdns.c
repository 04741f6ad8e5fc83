/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "cli/probe_mdns.h"

/* Names are terminated and printable, whatever a responder says. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *name) {
	assert(memchr(name, '\0', MDNS_NAME_MAX));
	for (; *name; name++) {
		assert(*name >= 0x20 && *name < 0x7f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct mdns_record records[MDNS_RECORDS_MAX];
	int count = mdns_answer_parse(data, size, records, MDNS_RECORDS_MAX);
	assert(count <= MDNS_RECORDS_MAX);
	for (int i = 0; i < count; i++) {
		check(records[i].name);
		check(records[i].target);
	}
	return 0;
}
