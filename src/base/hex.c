/* SPDX-License-Identifier: MIT */
#include "base/hex.h"

#include <errno.h>

static int digit_value(char c) {
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

int hex_decode(const char *text, size_t text_len, uint8_t *out) {
	if (text_len % 2 != 0) {
		return -EBADMSG;
	}
	for (size_t i = 0; i < text_len; i += 2) {
		int high = digit_value(text[i]);
		int low = digit_value(text[i + 1]);
		if (high < 0 || low < 0) {
			return -EBADMSG;
		}
		out[i / 2] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void hex_encode(const void *data, size_t len, char *out) {
	static const char digits[] = "0123456789ABCDEF";
	const uint8_t *bytes = (const uint8_t *)data;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = '\0';
}
