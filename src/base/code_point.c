/* SPDX-License-Identifier: MIT */
#include "base/code_point.h"

#include <stdbool.h>

size_t code_point_length(const uint8_t *at, size_t left) {
	/* What the second byte must be between, by the first one. */
	static const struct {
		uint8_t first, last, low, high, len;
	} rows[] = {
		{ 0x01, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	for (size_t i = 0; left > 0 && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (at[0] < rows[i].first || at[0] > rows[i].last) {
			continue;
		}
		bool fits = rows[i].len <= left &&
			    (rows[i].len == 1 || (at[1] >= rows[i].low && at[1] <= rows[i].high));
		for (size_t k = 2; fits && k < rows[i].len; k++) {
			fits = (at[k] & 0xc0) == 0x80;
		}
		return fits ? rows[i].len : 0;
	}
	return 0;
}
