/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "proto/rtsp_seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nobody without the key gets anything opened, unless it is the vector of the tests;
 * and whatever text is sealed opens to itself. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct secret key = { { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
			15 } };
	struct rtsp_seal client, host;
	uint8_t text[RTSP_SEAL_PLAIN_MAX], sealed[RTSP_SEAL_MAX];
	if (rtsp_seal_init(&client, RTSP_SEAL_CLIENT, &key) < 0 ||
			rtsp_seal_init(&host, RTSP_SEAL_HOST, &key) < 0) {
		return 0;
	}
	int n = rtsp_seal_open(&host, data, size, text);
	if (n >= 0) {
		assert(n == (int)size - RTSP_SEAL_HEADER && host.received > 0);
	} else {
		assert(host.received == 0);
	}
	int len = rtsp_seal_close(&client, data, size, sealed);
	if (len > 0) {
		host.received = 0;
		assert(rtsp_seal_open(&host, sealed, (size_t)len, text) == (int)size);
		assert(memcmp(text, data, size) == 0);
	}
	rtsp_seal_finish(&client);
	rtsp_seal_finish(&host);
	return 0;
}
