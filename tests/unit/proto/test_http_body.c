/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "proto/http.h"
#include "proto/http_body.h"

/* Takes an answer in pieces of `step` bytes; answers what its body said, or the error. */
static int take_all(const char *answer, size_t step, char *out, size_t size, bool *done) {
	size_t len = strlen(answer), used = 0;
	struct http_response response;
	struct http_body body;
	int head = http_response_parse_framed(answer, len, 0, &response);
	if (head < 0) {
		return head;
	}
	http_body_begin(&body, &response, response.status == 204);
	for (size_t at = (size_t)head; at < len && !http_body_done(&body);) {
		struct span piece;
		size_t n = len - at < step ? len - at : step;
		int taken = http_body_take(&body, answer + at, n, &piece);
		if (taken < 0) {
			return taken;
		}
		assert_true(taken > 0 && used + piece.len < size);
		memcpy(out + used, piece.at, piece.len);
		used += piece.len;
		at += (size_t)taken;
	}
	out[used] = '\0';
	*done = http_body_done(&body);
	return 0;
}

struct answer {
	const char *text, *body;
	bool done;
};

static void every_framing_gives_the_same_body(void **state) {
	(void)state;
	static const struct answer answers[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
				"hello", true },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n00000005\r\nhello\r\n",
				"hello", false },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", true },
		{ "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", "hello", false },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nleft", "", true },
		{ "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n", "", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		for (size_t step = 1; step < 64; step++) {
			char out[64];
			bool done = false;
			assert_int_equal(take_all(answers[i].text, step, out, sizeof(out), &done),
					0);
			assert_string_equal(out, answers[i].body);
			if (answers[i].text[9] != '2' || answers[i].text[11] != '4') {
				assert_true(done == answers[i].done || out[0] == '\0');
			}
		}
	}
}

static void what_is_no_chunk_is_refused(void **state) {
	(void)state;
	static const char *const bodies[] = { "\r\n", "g\r\n", "5;ext=1\r\nhello\r\n",
		"123456789\r\n", "2\nab\r\n", "2\r\nabc\r\n", "0\r\nTrailer: x\r\n\r\n", "-1\r\n" };
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		char text[256], out[64];
		bool done;
		text_format(text, sizeof(text),
				"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s",
				bodies[i]);
		assert_int_equal(take_all(text, 64, out, sizeof(out), &done), -EBADMSG);
	}
}

static void two_lengths_are_refused(void **state) {
	(void)state;
	struct http_response response;
	static const char both[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
				   "Content-Length: 3\r\n\r\n";
	static const char other[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
	assert_int_equal(
			http_response_parse_framed(both, sizeof(both) - 1, 0, &response), -EBADMSG);
	assert_int_equal(http_response_parse_framed(other, sizeof(other) - 1, 0, &response),
			-ENOTSUP);
	static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	assert_int_equal(http_response_parse(chunked, sizeof(chunked) - 1, 0, &response), -ENOTSUP);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_framing_gives_the_same_body),
		UNIT(what_is_no_chunk_is_refused),
		UNIT(two_lengths_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
