/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int log_level = LOG_LEVEL_INFO;
static atomic_uint log_dropped;

void log_set_level(enum log_level level) {
	log_level = level;
}

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

bool log_level_parse(const char *text, enum log_level *out) {
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static size_t clamp_length(int wanted, size_t size) {
	if (wanted < 0) {
		return 0;
	}
	return (size_t)wanted < size ? (size_t)wanted : size - 1;
}

void log_line(enum log_level level, const char *event, const char *fields, ...) {
	if ((int)level > log_level) {
		return;
	}
	char line[LOG_LINE_MAX];
	size_t room = sizeof(line) - 1; /* the newline's place is kept */
	int head = snprintf(line, room, "%c %s", level_names[level][0], event);
	size_t len = clamp_length(head, room);
	unsigned dropped = atomic_exchange(&log_dropped, 0);
	if (dropped > 0) {
		head = snprintf(line + len, room - len, " lines_dropped=%u", dropped);
		len += clamp_length(head, room - len);
	}
	if (fields[0] && len + 1 < room) {
		line[len++] = ' ';
		va_list args;
		va_start(args, fields);
		len += clamp_length(vsnprintf(line + len, room - len, fields, args), room - len);
		va_end(args);
	}
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) != (ssize_t)len) {
		atomic_fetch_add(&log_dropped, dropped + 1);
	}
}

struct log_quoted log_quote(const char *text) {
	struct log_quoted quoted;
	char *at = quoted.text;
	char *end = quoted.text + sizeof(quoted.text) - 6;
	*at++ = '"';
	for (; *text && at < end; text++) {
		uint8_t c = (uint8_t)*text;
		if (c == '"' || c == '\\') {
			*at++ = '\\';
			*at++ = (char)c;
		} else if (c < 0x20 || c == 0x7f) {
			at += snprintf(at, 5, "\\x%02x", c);
		} else {
			*at++ = (char)c;
		}
	}
	*at++ = '"';
	*at = '\0';
	return quoted;
}
