/* SPDX-License-Identifier: MIT */
#include "proto/http.h"

#include <errno.h>
#include <string.h>

#include "base/hex.h"
#include "base/number.h"

/* Takes the next parameter off query: its name and its raw value. */
static void parameter_take(struct span *query, struct span *out_name, struct span *out_value) {
	const char *amp = memchr(query->at, '&', query->len);
	size_t n = amp ? (size_t)(amp - query->at) : query->len;
	const char *equals = memchr(query->at, '=', n);
	size_t name_len = equals ? (size_t)(equals - query->at) : n;
	size_t value_at = equals ? name_len + 1 : n;
	*out_name = (struct span){ query->at, name_len };
	*out_value = (struct span){ query->at + value_at, n - value_at };
	n += amp ? 1 : 0;
	query->at += n;
	query->len -= n;
}

int http_query_find(struct span query, const char *name, struct span *out) {
	struct span value = { 0 }, found = { 0 }, key;
	bool any = false;
	while (query.len > 0) {
		parameter_take(&query, &key, &value);
		if (!span_is_nocase(key, name)) {
			continue;
		}
		if (any) {
			return -EBADMSG;
		}
		any = true;
		found = value;
	}
	if (!any) {
		return -ENOENT;
	}
	*out = found;
	return 0;
}

/* Reads one character, escaped or not, and answers how many bytes of raw it took. */
static int character_decode(struct span raw, char *out) {
	size_t taken = 1;
	char c = raw.at[0] == '+' ? ' ' : raw.at[0];
	if (c == '%') {
		uint8_t byte;
		if (raw.len < 3 || hex_decode(raw.at + 1, 2, &byte) < 0) {
			return -EBADMSG;
		}
		c = (char)byte;
		taken = 3;
	}
	if ((uint8_t)c < 0x20 || c == 0x7f) {
		return -EBADMSG;
	}
	*out = c;
	return (int)taken;
}

int http_query_decode(struct span raw, char *out, size_t size) {
	size_t len = 0;
	while (raw.len > 0) {
		char c;
		int taken = character_decode(raw, &c);
		if (taken < 0) {
			return taken;
		}
		if (len + 1 >= size) {
			return -ENOSPC;
		}
		out[len++] = c;
		raw.at += taken;
		raw.len -= (size_t)taken;
	}
	if (size == 0) {
		return -ENOSPC;
	}
	out[len] = '\0';
	return (int)len;
}

int http_query_text(struct span query, const char *name, char *out, size_t size) {
	struct span raw;
	int rc = http_query_find(query, name, &raw);
	return rc < 0 ? rc : http_query_decode(raw, out, size);
}

int http_query_number(struct span query, const char *name, int64_t min, int64_t max, int64_t *out) {
	char text[32];
	int len = http_query_text(query, name, text, sizeof(text));
	if (len < 0) {
		return len == -ENOSPC ? -EBADMSG : len;
	}
	return number_parse(text, (size_t)len, min, max, out) < 0 ? -EBADMSG : 0;
}
