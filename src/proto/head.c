/* SPDX-License-Identifier: MIT */
#include "proto/head.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/number.h"

static bool is_control(char c) {
	return ((uint8_t)c < 0x20 && c != '\t') || c == 0x7f;
}

/* May c follow previous ('\0' for nothing) in a head? */
static bool may_follow(char previous, char c) {
	if (c == '\n' || previous == '\r') {
		return c == '\n' && previous == '\r';
	}
	return c == '\r' || !is_control(c);
}

int head_scan(const char *data, size_t len, size_t seen, size_t max) {
	for (size_t i = seen; i < len; i++) {
		if (i >= max) {
			return -ENOSPC;
		}
		if (!may_follow(i ? data[i - 1] : '\0', data[i])) {
			return -EBADMSG;
		}
		if (data[i] != '\n') {
			continue;
		}
		if (i == 1) {
			return -EBADMSG;
		}
		if (data[i - 2] == '\n') {
			return (int)(i + 1);
		}
	}
	return -EAGAIN;
}

/* tchar of RFC 9110 5.6.2 */
static bool is_token(char c) {
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
		return true;
	}
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c);
}

static int field_parse(struct span line, struct head_field *out) {
	size_t n = 0;
	while (n < line.len && is_token(line.at[n])) {
		n++;
	}
	if (n == 0 || n == line.len || line.at[n] != ':') {
		return -EBADMSG;
	}
	struct span rest = { line.at + n + 1, line.len - n - 1 };
	*out = (struct head_field){ .name = { line.at, n }, .value = span_trim(rest) };
	return 0;
}

/* Takes the next line, without its CR LF, off text. */
static struct span line_take(struct span *text) {
	const char *end = memchr(text->at, '\r', text->len);
	struct span line = { text->at, end ? (size_t)(end - text->at) : text->len };
	size_t taken = end ? line.len + 2 : line.len;
	text->at += taken;
	text->len -= taken;
	return line;
}

int head_parse(const char *data, size_t head_len, struct head *out) {
	struct span left = { data, head_len - 2 };
	struct head head = { .start = line_take(&left) };
	while (left.len > 0) {
		struct span line = line_take(&left);
		if (head.n_fields == HEAD_FIELDS_MAX) {
			return -ENOSPC;
		}
		int rc = field_parse(line, &head.fields[head.n_fields]);
		if (rc < 0) {
			return rc;
		}
		head.n_fields++;
	}
	*out = head;
	return 0;
}

int head_find(const struct head *head, const char *name, struct span *out) {
	const struct head_field *found = NULL;
	for (size_t i = 0; i < head->n_fields; i++) {
		if (!span_is_nocase(head->fields[i].name, name)) {
			continue;
		}
		if (found) {
			return -EBADMSG;
		}
		found = &head->fields[i];
	}
	if (!found) {
		return -ENOENT;
	}
	*out = found->value;
	return 0;
}

int head_split_start(struct span start, struct span out_parts[3]) {
	struct span parts[3];
	for (size_t i = 0; i < 3; i++) {
		const char *end = memchr(start.at, ' ', start.len);
		bool last = i == 2;
		if (last != !end) {
			return -EBADMSG;
		}
		parts[i] = (struct span){ start.at, end ? (size_t)(end - start.at) : start.len };
		if (parts[i].len == 0) {
			return -EBADMSG;
		}
		size_t taken = parts[i].len + (last ? 0 : 1);
		start.at += taken;
		start.len -= taken;
	}
	memcpy(out_parts, parts, sizeof(parts));
	return 0;
}

bool head_value_is_safe(const char *text) {
	for (; *text; text++) {
		if (is_control(*text)) {
			return false;
		}
	}
	return true;
}

int head_number(struct span text, size_t max, size_t *out) {
	if (text.len == 0 || text.at[0] == '-') {
		return -EBADMSG;
	}
	int64_t value;
	int rc = number_parse(text.at, text.len, 0, (int64_t)max, &value);
	if (rc < 0) {
		return rc == -ERANGE ? -ENOSPC : rc;
	}
	*out = (size_t)value;
	return 0;
}

const char *head_phrase(
		const struct head_phrase *phrases, size_t count, int status, const char *fallback) {
	for (size_t i = 0; i < count; i++) {
		if (phrases[i].status == status) {
			return phrases[i].words;
		}
	}
	return fallback;
}
