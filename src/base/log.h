/* SPDX-License-Identifier: MIT */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* Structured lines on stderr. A worker's stderr is a pipe to the supervisor,
 * which adds time, kind, pid and session and limits the rate; a line is one
 * write(2) of at most LOG_LINE_MAX bytes and never blocks: what the pipe cannot
 * take is dropped and counted in the next line that fits.
 *
 * On the wire a line is "<L> event key=value key=\"quoted value\"\n", where L is
 * one of e, w, i, d. Only process rooms log (style rule 11). The level is the
 * single piece of mutable file-scope data in the tree. */
enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum {
	LOG_LINE_MAX = 1024,
};

void log_set_level(enum log_level level);
bool log_level_parse(const char *text, enum log_level *out);

/* event is a fixed lower-case-with-dashes word; fields is a printf format of
 * key=value pairs separated by one blank, "" for none. Text that came from
 * outside goes through log_quote() first. Secrets have a type (base/secret.h)
 * that no directive accepts. */
void log_line(enum log_level level, const char *event, const char *fields, ...)
		__attribute__((format(printf, 3, 4)));

#define log_error(event, ...) log_line(LOG_LEVEL_ERROR, event, __VA_ARGS__)
#define log_warning(event, ...) log_line(LOG_LEVEL_WARNING, event, __VA_ARGS__)
#define log_info(event, ...) log_line(LOG_LEVEL_INFO, event, __VA_ARGS__)
#define log_debug(event, ...) log_line(LOG_LEVEL_DEBUG, event, __VA_ARGS__)

struct log_quoted {
	char text[256];
};

/* text as a quoted logfmt value, escaped, cut at the struct's size. */
struct log_quoted log_quote(const char *text);

#endif
