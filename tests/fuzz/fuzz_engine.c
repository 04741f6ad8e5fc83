/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http.h"
#include "proto/http_body.h"
#include "runner/container_json.h"
#include "runner/engine_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Answers the body's length, or a negative error; step 0: all at once. */
static int take_body(const char *text, size_t size, size_t step, char *out) {
	struct http_response response;
	struct http_body body;
	int head = http_response_parse_framed(text, size, 0, &response);
	if (head < 0) {
		return head;
	}
	size_t len = 0;
	http_body_begin(&body, &response, response.status == 204);
	for (size_t at = (size_t)head; at < size && !http_body_done(&body);) {
		size_t n = step && size - at > step ? step : size - at;
		struct span piece;
		int taken = http_body_take(&body, text + at, n, &piece);
		if (taken < 0) {
			return taken;
		}
		assert(taken > 0 && (size_t)taken <= n);
		assert(piece.at >= text + at && piece.at + piece.len <= text + at + taken);
		memcpy(out + len, piece.at, piece.len);
		len += piece.len;
		at += (size_t)taken;
	}
	return (int)len;
}

static void take_log(const char *text, size_t size) {
	struct engine_log log = { 0 };
	while (size > 0) {
		struct span piece;
		int taken = engine_log_take(&log, text, size, &piece);
		if (taken < 0) {
			return;
		}
		assert(taken > 0 && (size_t)taken <= size);
		text += taken;
		size -= (size_t)taken;
	}
}

/* What an engine may answer: pieces do not matter, and nothing of it is believed further
 * than its form goes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const char *text = (const char *)data;
	char *whole = malloc(size + 1), *pieces = malloc(size + 1);
	assert(whole && pieces);
	int len = take_body(text, size, 0, whole);
	assert(take_body(text, size, 1, pieces) == len);
	if (len >= 0) {
		assert(memcmp(whole, pieces, (size_t)len) == 0);
		struct container_pull pull = { 0 };
		struct container_row rows[CONTAINER_LIST_MAX];
		struct container_seen seen;
		char words[160];
		(void)container_pull_add(&pull, (struct span){ whole, (size_t)len });
		assert(pull.percent <= 100 && pull.count <= CONTAINER_LAYERS_MAX);
		(void)!container_parse_list(whole, (size_t)len, rows);
		(void)!container_parse_seen(whole, (size_t)len, &seen);
		(void)!container_parse_id(whole, (size_t)len, words, sizeof(words));
		container_parse_message(whole, (size_t)len, words, sizeof(words));
		take_log(whole, (size_t)len);
	}
	free(whole);
	free(pieces);
	return 0;
}
