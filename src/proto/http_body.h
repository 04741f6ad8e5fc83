/* SPDX-License-Identifier: MIT */
#ifndef PROTO_HTTP_BODY_H
#define PROTO_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

struct http_response;

/* The body behind a response's head, however it is framed (RFC 9112 section 6), in the
 * pieces in which it arrives. Strict: no chunk extensions, no trailers. */
struct http_body {
	uint8_t state;
	bool chunked;
	uint64_t left; /* of the length, or of this chunk */
	unsigned digits;
};

/* none: of an answer that has no body, whatever its head says (204, 304, HEAD). */
void http_body_begin(struct http_body *body, const struct http_response *response, bool none);

/* The last byte was taken. One that ends with the connection never says so. */
bool http_body_done(const struct http_body *body);

/* Takes from the bytes that follow; out is what of them belongs to the body, borrowed.
 * Answers how many were taken: call again with the rest until all are, or the body is
 * done. -EBADMSG for a chunk that is none. */
int http_body_take(
		struct http_body *body, const char *data, size_t len, struct span *out) NODISCARD;

#endif
