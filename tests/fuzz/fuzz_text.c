/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "base/address.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/number.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	TEXT_MAX = 2000,
};

/* One word of a log line: in quotes, on one line, and no way out of the quotes. */
static void check_quoted(const char *text) {
	struct log_quoted quoted = log_quote(text);
	size_t len = strnlen(quoted.text, sizeof(quoted.text));
	assert(len >= 2 && len < sizeof(quoted.text));
	assert(quoted.text[0] == '"' && quoted.text[len - 1] == '"');
	for (size_t i = 1; i + 1 < len; i++) {
		unsigned char c = (unsigned char)quoted.text[i];
		assert(c >= 0x20 && c != 0x7f);
		if (c == '\\') {
			i++;
			assert(i + 1 < len);
		} else {
			assert(c != '"');
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	char text[TEXT_MAX + 1] = "", copy[64], ip[ADDRESS_TEXT_MAX];
	memcpy(text, data, size < TEXT_MAX ? size : TEXT_MAX);
	check_quoted(text);
	if (text_is_printable(text, strlen(text))) {
		assert(strpbrk(text, "\n\r\t\x1b\x7f") == NULL);
		text_copy(copy, sizeof(copy), text);
		assert(text_is_printable(copy, strlen(copy))); /* never cut inside a character */
	}
	int64_t number;
	if (number_parse((const char *)data, size, -5, 70000, &number) == 0) {
		assert(number >= -5 && number <= 70000);
	}
	struct address address, again;
	if (address_parse_ip(text, &address) == 0) {
		address_ip_text(&address, ip);
		assert(address_parse_ip(ip, &again) == 0 && address_same_ip(&address, &again));
	}
	uint8_t bytes[TEXT_MAX / 2 + 1];
	size_t len = strlen(text);
	if (hex_decode(text, len, bytes) == 0) {
		char hex[TEXT_MAX + 2];
		hex_encode(bytes, len / 2, hex);
		assert(strcasecmp(hex, text) == 0);
	}
	return 0;
}
