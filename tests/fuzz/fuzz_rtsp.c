/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>

#include "proto/rtsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Byte by byte answers what the whole answers, and no span leaves the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *text = (const char *)data;
	struct rtsp_progress at_once = { 0 }, slowly = { 0 };
	struct rtsp_request whole, pieces;
	int rc = rtsp_request_parse(&at_once, text, size, &whole);
	int again = -EAGAIN;
	for (size_t len = 1; len <= size && again == -EAGAIN; len++) {
		again = rtsp_request_parse(&slowly, text, len, &pieces);
	}
	assert(rc == again);
	if (rc > 0) {
		assert((size_t)rc <= size && rc <= RTSP_REQUEST_MAX);
		assert(whole.body.at + whole.body.len == text + rc);
		assert(whole.method == pieces.method && whole.cseq == pieces.cseq);
	}
	struct rtsp_response response;
	if (rtsp_response_parse(text, size, &response) == 0) {
		assert(response.body.at + response.body.len == text + size);
		struct rtsp_describe describe;
		(void)!rtsp_describe_parse(response.body, &describe);
	}
	return 0;
}
