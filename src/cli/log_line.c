/* SPDX-License-Identifier: MIT */
#include "cli/log_line.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"

static int hex_of(char c) {
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A text in quotes as log_quote() of base/log.h writes it; *at is behind the first quote, then
 * behind the last. How long it is in out, or -1. */
static long unquote(const char **at, char *out) {
	const char *from = *at;
	long len = 0;
	for (; *from && *from != '"'; from++) {
		if (*from != '\\') {
			out[len++] = *from;
			continue;
		}
		from++;
		int high = *from == 'x' ? hex_of(from[1]) : -1;
		int low = high >= 0 ? hex_of(from[2]) : -1;
		if (low >= 0) {
			out[len++] = (char)(high << 4 | low);
			from += 2;
		} else if (*from == '"' || *from == '\\') {
			out[len++] = *from;
		} else {
			return -1;
		}
	}
	if (*from != '"') {
		return -1;
	}
	*at = from + 1;
	return len;
}

/* One NAME=VALUE. False: it is none. */
static bool add_field(json_t *object, const char **at, char *memory) {
	size_t name = strcspn(*at, "= \"");
	if (name == 0 || (*at)[name] != '=') {
		return false;
	}
	const char *value = *at + name + 1, *text = value;
	long len;
	if (*value == '"') {
		value++;
		text = memory;
		len = unquote(&value, memory);
	} else {
		len = (long)strcspn(value, " ");
		value += len;
	}
	if (len < 0 || (*value && *value != ' ')) {
		return false;
	}
	json_t *string = json_stringn(text, (size_t)len);
	if (!string || json_object_setn_new(object, *at, name, string) < 0) {
		return false;
	}
	*at = value + (*value == ' ');
	return true;
}

json_t *log_line_parse(const char *line) {
	json_t *object = json_object();
	OWN(free) void *memory = malloc(strlen(line) + 1);
	const char *at = line;
	bool whole = memory && *line;
	while (whole && *at) {
		whole = add_field(object, &at, (char *)memory);
	}
	if (!whole) {
		json_object_clear(object);
		json_t *text = json_string(line);
		json_object_set_new(object, "line", text ? text : json_string("(not UTF-8)"));
	}
	return object;
}
