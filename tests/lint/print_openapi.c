/* SPDX-License-Identifier: MIT */
/* Prints the OpenAPI document that the web door serves, for tools/list_api.py. */
#include <stdio.h>

#include <jansson.h>

#include "gate/api.h"

int main(void) {
	json_t *document = openapi_document();
	int rc = document ? json_dumpf(document, stdout, JSON_INDENT(1)) : -1;
	putchar('\n');
	json_decref(document);
	return rc ? 1 : 0;
}
