/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "proto/http.h"

#define GET "GET /serverinfo?uniqueid=0123456789ABCDEF&uuid=4f HTTP/1.1\r\n"
#define HOST "Host: 192.0.2.7:47989\r\n"

/* Parses text from a heap copy of just its size, so that ASan sees one byte too far. */
static int parse_in(const char *text, size_t len, size_t seen, struct http_request *out) {
	char *exact = malloc(len + !len);
	memcpy(exact, text, len);
	int rc = http_request_parse(exact, len, seen, out);
	free(exact);
	return rc;
}

static int parse(const char *text) {
	static const size_t nothing_seen = 0;
	struct http_request request;
	return parse_in(text, strlen(text), nothing_seen, &request);
}

static void a_request_is_taken_apart(void **state) {
	(void)state;
	static const char text[] = GET HOST "Accept: */*\r\n\r\nrest";
	struct http_request request;
	int rc = http_request_parse(text, sizeof(text) - 1, 0, &request);
	assert_int_equal(rc, sizeof(text) - 1 - 4);
	assert_int_equal(request.method, HTTP_GET);
	assert_true(span_is(request.path, "/serverinfo"));
	assert_true(span_is(request.query, "uniqueid=0123456789ABCDEF&uuid=4f"));
	assert_true(span_is(request.host, "192.0.2.7:47989"));
	assert_true(request.keep_alive);
	assert_int_equal(request.content_length, 0);
	assert_int_equal(request.head.n_fields, 2);
}

static void bytes_may_come_one_by_one(void **state) {
	(void)state;
	static const char text[] = "POST /api HTTP/1.1\r\n" HOST "Content-Length: 12\r\n\r\n";
	struct http_request request;
	size_t whole = sizeof(text) - 1;
	for (size_t len = 0; len < whole; len++) {
		assert_int_equal(parse_in(text, len, len ? len - 1 : 0, &request), -EAGAIN);
	}
	assert_int_equal(parse_in(text, whole, whole - 1, &request), whole);
	assert_int_equal(request.method, HTTP_POST);
	assert_int_equal(request.content_length, 12);
}

static void malformed_requests_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = {
		"\r\n" GET HOST "\r\n",
		"GET /a HTTP/1.1\n",
		"GET /a HTTP/1.1\rX",
		"\x16\x03\x01",
		"GET  /a HTTP/1.1\r\n" HOST "\r\n",
		"GET /a  HTTP/1.1\r\n" HOST "\r\n",
		"GET /a\r\n" HOST "\r\n",
		"GET a HTTP/1.1\r\n" HOST "\r\n",
		"GET http://h/a HTTP/1.1\r\n" HOST "\r\n",
		"GET /a#b HTTP/1.1\r\n" HOST "\r\n",
		"GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n",
		"GET /a HTTP/1.1 \r\n" HOST "\r\n",
		"GET /a http/1.1\r\n" HOST "\r\n",
		GET "\r\n",
		GET HOST HOST "\r\n",
		GET HOST " folded\r\n\r\n",
		GET HOST "Name : value\r\n\r\n",
		GET HOST ": value\r\n\r\n",
		GET HOST "Name\r\n\r\n",
		GET HOST "Name: a\x01\r\n\r\n",
		GET HOST "Name: a\x7f\r\n\r\n",
		GET HOST "Name: a\nOther: b\r\n\r\n",
		GET HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
		GET HOST "Content-Length: 1, 1\r\n\r\n",
		GET HOST "Content-Length: -0\r\n\r\n",
		GET HOST "Content-Length: +1\r\n\r\n",
		GET HOST "Content-Length: 0x1\r\n\r\n",
		GET HOST "Content-Length:\r\n\r\n",
		GET HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i]) != -EBADMSG) {
			fail_msg("taken: %s", bad[i]);
		}
	}
	static const char nul[] = "GET /a\0b HTTP/1.1\r\n";
	struct http_request request;
	assert_int_equal(parse_in(nul, sizeof(nul) - 1, 0, &request), -EBADMSG);
}

static void what_is_not_served_is_said(void **state) {
	(void)state;
	assert_int_equal(parse("BREW /a HTTP/1.1\r\n" HOST "\r\n"), -ENOTSUP);
	assert_int_equal(parse("GET /a HTTP/2.0\r\n" HOST "\r\n"), -ENOTSUP);
	assert_int_equal(parse(GET HOST "Transfer-Encoding: chunked\r\n\r\n"), -ENOTSUP);
	assert_int_equal(http_status_of(-ENOTSUP), 501);
	assert_int_equal(http_status_of(-EBADMSG), 400);
	assert_int_equal(http_status_of(-ENOSPC), 431);
}

static void limits_hold(void **state) {
	(void)state;
	static char text[HTTP_HEAD_MAX + 64];
	struct http_request request;
	static const char tail[] = " HTTP/1.1\r\n" HOST "\r\n";
	for (size_t over = 0; over < 2; over++) {
		memcpy(text, "GET /", 5);
		memset(text + 5, 'a', HTTP_TARGET_MAX - 1 + over);
		size_t len = 5 + HTTP_TARGET_MAX - 1 + over;
		memcpy(text + len, tail, sizeof(tail) - 1);
		len += sizeof(tail) - 1;
		int rc = parse_in(text, len, 0, &request);
		assert_int_equal(rc, over ? -ENOSPC : (int)len);
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(parse_in(text, HTTP_HEAD_MAX, 0, &request), -EAGAIN);
	assert_int_equal(parse_in(text, HTTP_HEAD_MAX + 1, HTTP_HEAD_MAX, &request), -ENOSPC);
	assert_int_equal(parse(GET HOST "Content-Length: 2147483648\r\n\r\n"), -ENOSPC);
	assert_int_equal(parse(GET HOST "Content-Length: 99999999999999999999\r\n\r\n"), -ENOSPC);

	size_t len = (size_t)snprintf(text, sizeof(text), GET HOST);
	for (size_t i = 1; i <= HEAD_FIELDS_MAX; i++) {
		len += (size_t)snprintf(text + len, sizeof(text) - len, "X: y\r\n");
	}
	snprintf(text + len, sizeof(text) - len, "\r\n");
	assert_int_equal(parse(text), -ENOSPC);
}

static void keep_alive_follows_version_and_header(void **state) {
	(void)state;
	static const struct {
		const char *text;
		bool keep;
	} rows[] = {
		{ "GET / HTTP/1.1\r\n" HOST "\r\n", true },
		{ "GET / HTTP/1.1\r\n" HOST "Connection: upgrade, Close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\nConnection: close\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: closed\r\n\r\n", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_request request;
		int rc = http_request_parse(rows[i].text, strlen(rows[i].text), 0, &request);
		assert_true(rc > 0);
		assert_int_equal(request.keep_alive, rows[i].keep);
	}
}

static struct span span_of(const char *text) {
	return (struct span){ text, strlen(text) };
}

static void parameters_are_found_and_decoded(void **state) {
	(void)state;
	struct span query = span_of("AppID=7&name=a%20b+c%C3%bc&empty=&bare&x=1&X=2");
	char text[16];
	int64_t number;
	assert_int_equal(http_query_number(query, "appid", 1, INT32_MAX, &number), 0);
	assert_int_equal(number, 7);
	assert_int_equal(http_query_text(query, "name", text, sizeof(text)), 7);
	assert_string_equal(text, "a b c\xc3\xbc");
	assert_int_equal(http_query_text(query, "empty", text, sizeof(text)), 0);
	assert_int_equal(http_query_text(query, "bare", text, sizeof(text)), 0);
	assert_int_equal(http_query_text(query, "none", text, sizeof(text)), -ENOENT);
	assert_int_equal(http_query_text(query, "x", text, sizeof(text)), -EBADMSG);
	assert_int_equal(http_query_text(query, "name", text, 7), -ENOSPC);
	assert_int_equal(http_query_text(query, "name", text, 8), 7);
	assert_int_equal(http_query_number(query, "name", 0, 9, &number), -EBADMSG);
	assert_int_equal(http_query_number(query, "appid", 8, 9, &number), -EBADMSG);
}

static void bad_escapes_are_refused(void **state) {
	(void)state;
	static const char *const bad[] = { "%", "%4", "%4g", "a%", "%00", "%0a", "%7f" };
	char text[16];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(http_query_decode(span_of(bad[i]), text, sizeof(text)), -EBADMSG);
	}
}

static void an_answer_says_what_it_is(void **state) {
	(void)state;
	char buf[512];
	struct http_answer answer = {
		.status = 404, .content_type = "text/xml", .content_length = 9
	};
	int len = http_answer_write(&answer, buf, sizeof(buf));
	assert_true(len > 0);
	struct http_response response;
	assert_int_equal(http_response_parse(buf, (size_t)len, 0, &response), len);
	assert_int_equal(response.status, 404);
	assert_true(response.has_length);
	assert_int_equal(response.content_length, 9);
	struct span value;
	assert_int_equal(head_find(&response.head, "X-Content-Type-Options", &value), 0);
	assert_true(span_is(value, "nosniff"));
	assert_int_equal(head_find(&response.head, "Content-Security-Policy", &value), 0);
	assert_true(span_is(value, "default-src 'none'; frame-ancestors 'none'"));
	assert_int_equal(head_find(&response.head, "Connection", &value), 0);
	assert_true(span_is(value, "close"));

	assert_int_equal(http_answer_write(&answer, buf, (size_t)len - 1), -ENOSPC);
	answer.location = "/a\r\nSet-Cookie: b";
	assert_int_equal(http_answer_write(&answer, buf, sizeof(buf)), -EINVAL);
}

static void the_probes_request_is_one_we_take(void **state) {
	(void)state;
	char buf[256];
	int len = http_get_write("[::1]:47989", "/serverinfo?uniqueid=1", buf, sizeof(buf));
	struct http_request request;
	assert_int_equal(http_request_parse(buf, (size_t)len, 0, &request), len);
	assert_false(request.keep_alive);
	assert_int_equal(http_get_write("a", "/x y", buf, sizeof(buf)), -EINVAL);
	assert_int_equal(http_get_write("a\r\nb", "/x", buf, sizeof(buf)), -EINVAL);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_request_is_taken_apart),
		UNIT(bytes_may_come_one_by_one),
		UNIT(malformed_requests_are_refused),
		UNIT(what_is_not_served_is_said),
		UNIT(limits_hold),
		UNIT(keep_alive_follows_version_and_header),
		UNIT(parameters_are_found_and_decoded),
		UNIT(bad_escapes_are_refused),
		UNIT(an_answer_says_what_it_is),
		UNIT(the_probes_request_is_one_we_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
