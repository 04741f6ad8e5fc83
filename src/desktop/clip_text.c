/* SPDX-License-Identifier: MIT */
#include "desktop/clip_text.h"

#include <string.h>

#include "base/code_point.h"

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

bool clip_text_is_valid(const uint8_t *text, size_t len) {
	for (size_t at = 0; at < len;) {
		size_t one = code_point_length(text + at, len - at);
		if (one == 0) {
			return false;
		}
		at += one;
	}
	return true;
}
