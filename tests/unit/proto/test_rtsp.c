/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <string.h>

#include "proto/rtsp.h"

#define COMMON "CSeq: 3\r\nX-GS-ClientVersion: 14\r\nHost: 192.0.2.7\r\n"

static const char announce[] = "ANNOUNCE streamid=control/13/0 RTSP/1.0\r\n" COMMON
			       "Session: DEADBEEFCAFE\r\nContent-type: application/sdp\r\n"
			       "Content-length: 9\r\n\r\nv=0\r\nrest";

static int parse(const char *text, struct rtsp_request *out) {
	struct rtsp_progress progress = { 0 };
	return rtsp_request_parse(&progress, text, strlen(text), out);
}

static void expect_announce(const struct rtsp_request *request) {
	assert_int_equal(request->method, RTSP_ANNOUNCE);
	assert_int_equal(request->stream, RTSP_STREAM_CONTROL);
	assert_int_equal(request->cseq, 3);
	assert_true(span_is(request->session, "DEADBEEFCAFE"));
	assert_true(span_is(request->body, "v=0\r\nrest"));
}

static void a_request_may_come_in_pieces_of_any_size(void **state) {
	(void)state;
	size_t whole = sizeof(announce) - 1;
	for (size_t piece = 1; piece <= whole; piece++) {
		struct rtsp_progress progress = { 0 };
		struct rtsp_request request;
		int rc = -EAGAIN;
		for (size_t len = piece; rc == -EAGAIN; len += piece) {
			len = len < whole ? len : whole;
			char *exact = malloc(len);
			memcpy(exact, announce, len);
			rc = rtsp_request_parse(&progress, exact, len, &request);
			if (rc > 0) {
				expect_announce(&request);
			}
			free(exact);
			assert_true(rc > 0 || len < whole);
		}
		assert_int_equal(rc, whole);
	}
}

static void every_stream_is_known_by_its_name(void **state) {
	(void)state;
	struct rtsp_request request;
	assert_true(parse("SETUP streamid=audio/0/0 RTSP/1.0\r\n" COMMON "\r\n", &request) > 0);
	assert_int_equal(request.stream, RTSP_STREAM_AUDIO);
	assert_true(parse("SETUP streamid=video RTSP/1.0\r\n" COMMON "\r\n", &request) > 0);
	assert_int_equal(request.stream, RTSP_STREAM_VIDEO);
	assert_true(parse("SETUP streamid=control/13/0 RTSP/1.0\r\n" COMMON
			  "Session: A;timeout = 90\r\n\r\n",
				    &request) > 0);
	assert_int_equal(request.stream, RTSP_STREAM_CONTROL);
	assert_true(span_is(request.session, "A"));
	assert_true(parse("PLAY / RTSP/1.0\r\n" COMMON "\r\n", &request) > 0);
	assert_int_equal(request.stream, RTSP_STREAM_NONE);
	assert_int_equal(request.session.len, 0);
	assert_int_equal(parse("SETUP streamid=videos RTSP/1.0\r\n" COMMON "\r\n", &request),
			-ENOTSUP);
	assert_int_equal(parse("SETUP / RTSP/1.0\r\n" COMMON "\r\n", &request), -ENOTSUP);
}

static void what_is_wrong_is_refused(void **state) {
	(void)state;
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "PLAY / RTSP/1.0\r\nHost: a\r\n\r\n", -EBADMSG },
		{ "PLAY / RTSP/1.0\r\nCSeq: 1\r\nCSeq: 1\r\n\r\n", -EBADMSG },
		{ "PLAY / RTSP/1.0\r\nCSeq: -1\r\n\r\n", -EBADMSG },
		{ "PLAY / RTSP/1.0\r\nCSeq: x\r\n\r\n", -EBADMSG },
		{ "PLAY / RTSP/1.0\r\nCSeq: 4294967296\r\n\r\n", -ENOSPC },
		{ "PLAY /  RTSP/1.0\r\nCSeq: 1\r\n\r\n", -EBADMSG },
		{ "PLAY / HTTP/1.1\r\nCSeq: 1\r\n\r\n", -EBADMSG },
		{ "PLAY / RTSP/2.0\r\nCSeq: 1\r\n\r\n", -ENOTSUP },
		{ "TEARDOWN / RTSP/1.0\r\nCSeq: 1\r\n\r\n", -ENOTSUP },
		{ "PLAY / RTSP/1.0\nCSeq: 1\n\n", -EBADMSG },
		{ "PLAY / RTSP/1.0\r\nCSeq: 1\r\nContent-length: 8193\r\n\r\n", -ENOSPC },
		{ "PLAY / RTSP/1.0\r\nCSeq: 1\r\nContent-length: x\r\n\r\n", -EBADMSG },
		{ "\x80\x01\x02\x03", -EBADMSG }, /* an envelope */
		{ "", -EAGAIN },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rtsp_request request;
		assert_int_equal(parse(rows[i].text, &request), rows[i].rc);
	}
}

static void too_much_is_refused_before_it_is_complete(void **state) {
	(void)state;
	static char text[RTSP_HEAD_MAX + 1];
	memset(text, 'a', sizeof(text));
	struct rtsp_progress progress = { 0 };
	struct rtsp_request request;
	assert_int_equal(rtsp_request_parse(&progress, text, RTSP_HEAD_MAX, &request), -EAGAIN);
	assert_int_equal(rtsp_request_parse(&progress, text, RTSP_HEAD_MAX + 1, &request), -ENOSPC);
}

static void an_answer_has_the_clients_grammar(void **state) {
	(void)state;
	struct rtsp_answer answer = {
		.status = 200,
		.cseq = 3,
		.session = "DEADBEEFCAFE",
		.server_port = 48000,
		.ping_payload = "0123456789ABCDEF",
		.has_connect_data = true,
		.connect_data = 4294967295,
	};
	char buf[512];
	int len = rtsp_answer_write(&answer, buf, sizeof(buf));
	assert_true(len > 0);
	static const char expected[] = "RTSP/1.0 200 OK\r\nCSeq: 3\r\n"
				       "Session: DEADBEEFCAFE;timeout = 90\r\n"
				       "Transport: server_port=48000\r\n"
				       "X-SS-Ping-Payload: 0123456789ABCDEF\r\n"
				       "X-SS-Connect-Data: 4294967295\r\n\r\n";
	assert_int_equal(len, sizeof(expected) - 1);
	assert_memory_equal(buf, expected, sizeof(expected) - 1);

	struct rtsp_response response;
	assert_int_equal(rtsp_response_parse(buf, (size_t)len, &response), 0);
	assert_int_equal(response.status, 200);
	assert_int_equal(response.cseq, 3);
	assert_int_equal(response.server_port, 48000);
	assert_int_equal(response.connect_data, 4294967295);
	assert_true(span_is(response.session, "DEADBEEFCAFE"));
	assert_true(span_is(response.ping_payload, "0123456789ABCDEF"));
	assert_int_equal(response.body.len, 0);
	assert_int_equal(rtsp_answer_write(&answer, buf, (size_t)len - 1), -ENOSPC);
	assert_int_equal(rtsp_response_parse(buf, (size_t)len - 1, &response), -EBADMSG);
}

static void describe_rotates_normal_layouts_only(void **state) {
	(void)state;
	size_t n;
	const struct rtsp_surround *layouts = rtsp_surround_layouts(&n);
	struct rtsp_describe describe = {
		.features = 3,
		.encryption_supported = 7,
		.encryption_requested = 1,
		.rfi = true,
		.surround = layouts,
		.n_surround = n,
	};
	char buf[RTSP_DESCRIBE_MAX + 1];
	int len = rtsp_describe_write(&describe, buf, RTSP_DESCRIBE_MAX);
	assert_true(len > 0);
	buf[len] = '\0';
	assert_string_equal(buf, "a=x-ss-general.featureFlags:3\n"
				 "a=x-ss-general.encryptionSupported:7\n"
				 "a=x-ss-general.encryptionRequested:1\n"
				 "a=x-nv-video[0].refPicInvalidation:1\n"
				 "a=fmtp:97 surround-params=21101\n"
				 "a=fmtp:97 surround-params=642012453\n"
				 "a=fmtp:97 surround-params=660012345\n"
				 "a=fmtp:97 surround-params=85301245673\n"
				 "a=fmtp:97 surround-params=88001234567\n");
	static const struct rtsp_surround paired[] = {
		{ 6, 4, 2, { 0, 1, 4, 5, 2, 3 }, false },
		{ 8, 5, 3, { 0, 1, 6, 7, 2, 3, 4, 5 }, false },
	};
	describe = (struct rtsp_describe){ .hevc = true, .av1 = true, .surround = paired };
	describe.n_surround = 2;
	len = rtsp_describe_write(&describe, buf, RTSP_DESCRIBE_MAX);
	buf[len] = '\0';
	assert_non_null(strstr(buf, "\nsprop-parameter-sets=AAAAAU\na=rtpmap:98 AV1/90000\n"));
	assert_non_null(strstr(buf, "=642014235\n"));
	assert_non_null(strstr(buf, "=85301623457\n"));
	assert_null(strstr(buf, "refPicInvalidation"));
}

static void describe_reads_back(void **state) {
	(void)state;
	struct rtsp_describe describe = { .features = 3, .encryption_supported = 5, .hevc = true };
	struct rtsp_describe again;
	char buf[RTSP_DESCRIBE_MAX];
	int len = rtsp_describe_write(&describe, buf, sizeof(buf));
	assert_int_equal(rtsp_describe_parse((struct span){ buf, (size_t)len }, &again), 0);
	assert_int_equal(again.features, 3);
	assert_int_equal(again.encryption_supported, 5);
	assert_true(again.hevc && !again.av1 && !again.rfi);
	struct span bad = { "a=x-ss-general.featureFlags:x\n", 30 };
	assert_int_equal(rtsp_describe_parse(bad, &again), -EBADMSG);
}

static void the_probes_requests_are_ones_we_take(void **state) {
	(void)state;
	for (int method = 0; method < RTSP_METHODS; method++) {
		struct rtsp_question question = {
			.method = (enum rtsp_method)method,
			.target = "streamid=video/0/0",
			.cseq = 4,
			.host = "192.0.2.7",
			.session = "AB",
			.body = { "v=0\r\n", method == RTSP_ANNOUNCE ? 5 : 0 },
		};
		char buf[512];
		struct rtsp_request request;
		struct rtsp_progress progress = { 0 };
		int len = rtsp_request_write(&question, buf, sizeof(buf));
		assert_true(len > 0);
		assert_int_equal(rtsp_request_parse(&progress, buf, (size_t)len, &request), len);
		assert_int_equal(request.method, method);
		assert_int_equal(request.cseq, 4);
		assert_int_equal(request.body.len, question.body.len);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_request_may_come_in_pieces_of_any_size),
		UNIT(every_stream_is_known_by_its_name),
		UNIT(what_is_wrong_is_refused),
		UNIT(too_much_is_refused_before_it_is_complete),
		UNIT(an_answer_has_the_clients_grammar),
		UNIT(describe_rotates_normal_layouts_only),
		UNIT(describe_reads_back),
		UNIT(the_probes_requests_are_ones_we_take),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
