/* SPDX-License-Identifier: MIT */
#include "desktop/clip_text.h"

#include <string.h>

/* Best first. What X11 apps offer comes under its own names, too; the last two may be Latin-1,
 * which shows when it is looked at. */
static const char *const known_forms[] = { "text/plain;charset=utf-8", "UTF8_STRING", "text/plain",
	"TEXT", "STRING" };

const char *clip_text_form(unsigned index) {
	return known_forms[index];
}

int clip_text_choose(const char *const *forms, size_t count) {
	for (size_t k = 0; k < sizeof(known_forms) / sizeof(known_forms[0]); k++) {
		for (size_t i = 0; i < count; i++) {
			if (forms[i] && strcmp(forms[i], known_forms[k]) == 0) {
				return (int)i;
			}
		}
	}
	return -1;
}

/* How long the character is that begins there; 0 when none does. */
static size_t length_at(const uint8_t *at, size_t left) {
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
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
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

bool clip_text_is_valid(const uint8_t *text, size_t len) {
	for (size_t at = 0; at < len;) {
		size_t one = length_at(text + at, len - at);
		if (one == 0) {
			return false;
		}
		at += one;
	}
	return true;
}
