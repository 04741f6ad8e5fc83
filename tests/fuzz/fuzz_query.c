/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "proto/http.h"
#include "proto/launch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a launch was understood as must be understood as the same again. */
static void launch_stays(struct span query) {
	struct launch_query launch, again;
	char buf[1024];
	const char *culprit = NULL;
	if (launch_query_parse(query, &launch, &culprit) < 0) {
		assert(culprit);
		return;
	}
	if (launch.width == 0) {
		return;
	}
	int len = launch_query_write(&launch, buf, sizeof(buf));
	assert(len > 0);
	assert(launch_query_parse((struct span){ buf, (size_t)len }, &again, &culprit) == 0);
	assert(launch.rikeyid == again.rikeyid && launch.fps == again.fps);
	assert(memcmp(&launch.rikey, &again.rikey, sizeof(launch.rikey)) == 0);
}

/* A value never decodes to more than it was, nor to anything with a control byte. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const char *const names[] = { "appid", "mode", "rikey", "salt", "uniqueid" };
	struct span query = { (const char *)data, size };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char out[256];
		struct span raw;
		int len = http_query_text(query, names[i], out, sizeof(out));
		if (len >= 0) {
			assert(http_query_find(query, names[i], &raw) == 0);
			assert((size_t)len <= raw.len && strlen(out) == (size_t)len);
			assert(head_value_is_safe(out) && !strchr(out, '\t'));
		}
		int64_t number = 5;
		if (http_query_number(query, names[i], 1, 9, &number) == 0) {
			assert(number >= 1 && number <= 9);
		}
	}
	launch_stays(query);
	static struct pair_query pair;
	const char *culprit = NULL;
	if (pair_query_parse(query, &pair, &culprit) < 0) {
		assert(culprit);
	}
	return 0;
}
