/* SPDX-License-Identifier: MIT */
#include "proto/http_body.h"

#include <errno.h>
#include <limits.h>

#include "proto/http.h"

enum {
	DIGITS_MAX = 8, /* of a chunk's size */
};

enum state {
	BODY_DATA,
	BODY_SIZE, /* hexadecimal digits */
	BODY_SIZE_LF,
	BODY_DATA_CR,
	BODY_DATA_LF,
	BODY_LAST_CR,
	BODY_LAST_LF,
	BODY_DONE,
};

void http_body_begin(struct http_body *body, const struct http_response *response, bool none) {
	*body = (struct http_body){ .state = BODY_DATA, .left = UINT64_MAX };
	if (none || (response->has_length && response->content_length == 0)) {
		body->state = BODY_DONE;
	} else if (response->chunked) {
		body->chunked = true;
		body->state = BODY_SIZE;
		body->left = 0;
	} else if (response->has_length) {
		body->left = response->content_length;
	}
}

bool http_body_done(const struct http_body *body) {
	return body->state == BODY_DONE;
}

static int hex_digit(char c) {
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int take_size(struct http_body *body, char c) {
	int digit = hex_digit(c);
	if (digit >= 0 && body->digits < DIGITS_MAX) {
		body->left = body->left << 4 | (unsigned)digit;
		body->digits++;
		return 0;
	}
	if (c != '\r' || body->digits == 0) {
		return -EBADMSG;
	}
	body->state = BODY_SIZE_LF;
	return 0;
}

/* One byte that is no data. */
static int take_frame(struct http_body *body, char c) {
	static const struct {
		char expected;
		uint8_t next;
	} steps[] = {
		[BODY_SIZE_LF] = { '\n', BODY_DATA },
		[BODY_DATA_CR] = { '\r', BODY_DATA_LF },
		[BODY_DATA_LF] = { '\n', BODY_SIZE },
		[BODY_LAST_CR] = { '\r', BODY_LAST_LF },
		[BODY_LAST_LF] = { '\n', BODY_DONE },
	};
	if (body->state == BODY_SIZE) {
		return take_size(body, c);
	}
	if (c != steps[body->state].expected) {
		return -EBADMSG;
	}
	bool last = body->state == BODY_SIZE_LF && body->left == 0;
	body->state = last ? BODY_LAST_CR : steps[body->state].next;
	body->digits = 0;
	return 0;
}

int http_body_take(struct http_body *body, const char *data, size_t len, struct span *out) {
	size_t taken = 0;
	*out = (struct span){ data, 0 };
	len = len < INT_MAX ? len : INT_MAX;
	while (taken < len && body->state != BODY_DATA && body->state != BODY_DONE) {
		int rc = take_frame(body, data[taken++]);
		if (rc < 0) {
			return rc;
		}
	}
	if (body->state == BODY_DATA && taken < len) {
		size_t n = len - taken;
		n = n < body->left ? n : (size_t)body->left;
		*out = (struct span){ data + taken, n };
		taken += n;
		if (body->left != UINT64_MAX) {
			body->left -= n;
		}
		if (body->left == 0) {
			body->state = body->chunked ? BODY_DATA_CR : BODY_DONE;
		}
	}
	return (int)taken;
}
