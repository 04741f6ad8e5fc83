/* SPDX-License-Identifier: MIT */
#include "base/number.h"

#include <errno.h>
#include <stdbool.h>

int number_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out) {
	bool negative = len > 0 && text[0] == '-';
	size_t at = negative ? 1 : 0;
	if (at == len) {
		return -EBADMSG;
	}
	int64_t value = 0;
	bool overflow = false;
	for (; at < len; at++) {
		if (text[at] < '0' || text[at] > '9') {
			return -EBADMSG;
		}
		int digit = text[at] - '0';
		overflow |= __builtin_mul_overflow(value, 10, &value);
		overflow |= __builtin_add_overflow(value, negative ? -digit : digit, &value);
	}
	if (overflow || value < min || value > max) {
		return -ERANGE;
	}
	*out = value;
	return 0;
}
