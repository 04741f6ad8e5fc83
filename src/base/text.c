/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/code_point.h"

static size_t utf8_cut(const char *text, size_t len) {
	while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80) {
		len--;
	}
	return len;
}

/* Where a sequence at the end that lacks bytes begins, or else the end. */
static size_t utf8_whole(const char *text, size_t len) {
	size_t at = len;
	while (at > 0 && len - at < 3 && ((uint8_t)text[at - 1] & 0xc0) == 0x80) {
		at--;
	}
	uint8_t lead = at > 0 ? (uint8_t)text[at - 1] : 0;
	size_t wants = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	return len - at < wants ? at - 1 : len;
}

bool text_copy(char *out, size_t size, const char *text) {
	size_t len = strlen(text);
	bool fits = len < size;
	if (!fits) {
		len = utf8_cut(text, size - 1);
	}
	memcpy(out, text, len);
	out[len] = '\0';
	return fits;
}

bool text_format(char *out, size_t size, const char *format, ...) {
	va_list args;
	va_start(args, format);
	int wanted = vsnprintf(out, size, format, args);
	va_end(args);
	if (wanted < 0) {
		out[0] = '\0';
		return false;
	}
	bool fits = (size_t)wanted < size;
	if (!fits && size > 0) {
		out[utf8_whole(out, size - 1)] = '\0';
	}
	return fits;
}

bool span_is(struct span span, const char *text) {
	return strlen(text) == span.len && memcmp(span.at, text, span.len) == 0;
}

bool span_is_nocase(struct span span, const char *text) {
	return strlen(text) == span.len && strncasecmp(span.at, text, span.len) == 0;
}

static bool is_blank(char c) {
	return c == ' ' || c == '\t';
}

struct span span_trim(struct span span) {
	while (span.len > 0 && is_blank(span.at[0])) {
		span.at++;
		span.len--;
	}
	while (span.len > 0 && is_blank(span.at[span.len - 1])) {
		span.len--;
	}
	return span;
}

void text_put(struct writer *w, const char *text) {
	writer_copy(w, text, strlen(text));
}

void text_put_span(struct writer *w, struct span span) {
	writer_copy(w, span.at, span.len);
}

void text_putf(struct writer *w, const char *format, ...) {
	va_list args;
	va_start(args, format);
	/* vsnprintf wants a byte for its NUL, which we do not count: so text that
	 * fills the buffer to the last byte is refused here. */
	int wanted = vsnprintf((char *)w->at, w->failed ? 0 : w->left, format, args);
	va_end(args);
	if (w->failed || wanted < 0 || (size_t)wanted >= w->left) {
		w->failed = true;
		return;
	}
	writer_take(w, (size_t)wanted);
}

bool text_is_printable(const char *text, size_t len) {
	const uint8_t *at = (const uint8_t *)text;
	for (size_t i = 0; i < len;) {
		size_t n = code_point_length(at + i, len - i);
		if (n == 0 || at[i] < 0x20 || at[i] == 0x7f) {
			return false;
		}
		if (at[i] == 0xc2 && at[i + 1] < 0xa0) { /* control characters of Latin 1 */
			return false;
		}
		i += n;
	}
	return true;
}
