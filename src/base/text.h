/* SPDX-License-Identifier: MIT */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Copies text into out of size bytes, cut off if need be (never inside a UTF-8
 * sequence) and always terminated. Returns true when it all fitted. */
bool text_copy(char *out, size_t size, const char *text);

/* snprintf with the same promises. */
bool text_format(char *out, size_t size, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* A borrowed piece of somebody's text; not terminated. */
struct span {
	const char *at;
	size_t len;
};

bool span_is(struct span span, const char *text);
bool span_is_nocase(struct span span, const char *text);

/* Without blanks and tabs at either end. */
struct span span_trim(struct span span);

struct writer;

/* Text at the writer's end, without its NUL; what does not fit sets failed
 * (base/bytes.h). */
void text_put(struct writer *w, const char *text);
void text_put_span(struct writer *w, struct span span);
void text_putf(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* True for well-formed UTF-8 without control characters. */
bool text_is_printable(const char *text, size_t len);

#endif
