/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "gate/schema.h"
#include "gate/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct schema *schema, struct span text,
		int (*parse)(const struct schema *, struct span, json_t **, char *)) {
	char fault[SCHEMA_FAULT_MAX] = "", again[SCHEMA_FAULT_MAX];
	json_t *object = NULL;
	int rc = parse(schema, text, &object, fault);
	assert(rc == 0 ? object && !fault[0] : !object && (fault[0] || rc == -ENOMEM));
	assert(memchr(fault, '\0', sizeof(fault)));
	assert(!object || schema_check(schema, object, again));
	json_decref(object);
}

/* A refusal has words; what is taken fits the schema: of every call there is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct span text = { (const char *)data, size };
	for (size_t i = 0; i < web_site.n_routes; i++) {
		const struct route *route = &web_site.routes[i];
		if (route->about.takes) {
			check(route->about.takes, text,
					route->method == HTTP_GET ? schema_parse_query
								  : schema_parse);
		}
	}
	return 0;
}
