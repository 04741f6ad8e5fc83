/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "proto/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Pieces must not matter: byte by byte answers what the whole answers, and no
 * span leaves the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *text = (const char *)data;
	struct http_request whole, pieces;
	int rc = http_request_parse(text, size, 0, &whole);
	int again = -EAGAIN;
	for (size_t len = 1; len <= size && again == -EAGAIN; len++) {
		again = http_request_parse(text, len, len - 1, &pieces);
	}
	assert(rc == again);
	if (rc > 0) {
		assert((size_t)rc <= size);
		assert(whole.path.at + whole.path.len <= text + rc);
		assert(whole.query.at + whole.query.len <= text + rc);
		for (size_t i = 0; i < whole.head.n_fields; i++) {
			struct span value = whole.head.fields[i].value;
			assert(value.at >= text && value.at + value.len <= text + rc);
		}
	}
	struct http_response response;
	rc = http_response_parse(text, size, 0, &response);
	assert(rc < 0 || (size_t)rc <= size);
	return 0;
}
