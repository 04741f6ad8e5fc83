/* SPDX-License-Identifier: MIT */
#include "proto/http.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

static const char *const methods[] = {
	[HTTP_GET] = "GET",
	[HTTP_POST] = "POST",
};

static int method_parse(struct span text, enum http_method *out) {
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (span_is(text, methods[i])) {
			*out = (enum http_method)i;
			return 0;
		}
	}
	return -ENOTSUP;
}

static int version_parse(struct span text, unsigned *out) {
	if (span_is(text, "HTTP/1.1") || span_is(text, "HTTP/1.0")) {
		*out = (unsigned)(text.at[7] - '0');
		return 0;
	}
	return text.len == 8 && memcmp(text.at, "HTTP/", 5) == 0 ? -ENOTSUP : -EBADMSG;
}

/* Only the origin form (RFC 9112 3.2.1): we are nobody's proxy. */
static int target_parse(struct span target, struct http_request *request) {
	if (target.len > HTTP_TARGET_MAX) {
		return -ENOSPC;
	}
	if (target.at[0] != '/') {
		return -EBADMSG;
	}
	for (size_t i = 0; i < target.len; i++) {
		if (target.at[i] < 0x21 || target.at[i] > 0x7e || target.at[i] == '#') {
			return -EBADMSG;
		}
	}
	const char *mark = memchr(target.at, '?', target.len);
	size_t path_len = mark ? (size_t)(mark - target.at) : target.len;
	request->path = (struct span){ target.at, path_len };
	request->query = mark ? (struct span){ mark + 1, target.len - path_len - 1 }
			      : (struct span){ target.at + path_len, 0 };
	return 0;
}

/* Is word one of the list's members, which commas separate? */
static bool list_has(struct span list, const char *word) {
	while (list.len > 0) {
		const char *comma = memchr(list.at, ',', list.len);
		size_t n = comma ? (size_t)(comma - list.at) : list.len;
		if (span_is_nocase(span_trim((struct span){ list.at, n }), word)) {
			return true;
		}
		n += comma ? 1 : 0;
		list.at += n;
		list.len -= n;
	}
	return false;
}

static bool keeps_alive(const struct head *head, unsigned minor) {
	bool close = false, keep = minor >= 1;
	for (size_t i = 0; i < head->n_fields; i++) {
		if (span_is_nocase(head->fields[i].name, "Connection")) {
			close |= list_has(head->fields[i].value, "close");
			keep |= list_has(head->fields[i].value, "keep-alive");
		}
	}
	return keep && !close;
}

/* Two readers of one connection that disagree about where a message ends are the
 * root of request smuggling (RFC 9112 11.2): so one plain length, or none. */
static int length_parse(const struct head *head, bool *out_given, size_t *out_length) {
	struct span coding, length;
	int coded = head_find(head, "Transfer-Encoding", &coding);
	int given = head_find(head, "Content-Length", &length);
	if (given == -EBADMSG || coded == -EBADMSG || (coded == 0 && given == 0)) {
		return -EBADMSG;
	}
	if (coded == 0) {
		return -ENOTSUP;
	}
	*out_given = given == 0;
	if (given == -ENOENT) {
		*out_length = 0;
		return 0;
	}
	return head_number(length, HTTP_BODY_MAX, out_length);
}

static int host_parse(const struct head *head, unsigned minor, struct span *out) {
	int rc = head_find(head, "Host", out);
	if (rc == -ENOENT && minor == 0) {
		*out = (struct span){ head->start.at, 0 };
		return 0;
	}
	return rc == -ENOENT ? -EBADMSG : rc;
}

int http_request_parse(const char *data, size_t len, size_t seen, struct http_request *out) {
	int head_len = head_scan(data, len, seen, HTTP_HEAD_MAX);
	if (head_len < 0) {
		return head_len;
	}
	struct http_request request = { 0 };
	struct span parts[3];
	bool has_length;
	int rc = head_parse(data, (size_t)head_len, &request.head);
	rc = rc < 0 ? rc : head_split_start(request.head.start, parts);
	rc = rc < 0 ? rc : version_parse(parts[2], &request.minor);
	rc = rc < 0 ? rc : method_parse(parts[0], &request.method);
	rc = rc < 0 ? rc : target_parse(parts[1], &request);
	rc = rc < 0 ? rc : host_parse(&request.head, request.minor, &request.host);
	rc = rc < 0 ? rc : length_parse(&request.head, &has_length, &request.content_length);
	if (rc < 0) {
		return rc;
	}
	request.keep_alive = keeps_alive(&request.head, request.minor);
	*out = request;
	return head_len;
}

int http_status_of(int rc) {
	switch (rc) {
	case -EBADMSG:
		return 400;
	case -ENOSPC:
		return 431;
	case -ENOTSUP:
		return 501;
	default:
		return 500;
	}
}

static const struct head_phrase phrases[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

static const char *or_default(const char *text, const char *fallback) {
	return text ? text : fallback;
}

/* One field line; nothing for a NULL value. */
static int field_put(struct writer *w, const char *name, const char *value) {
	if (!value) {
		return 0;
	}
	if (!head_value_is_safe(value)) {
		return -EINVAL;
	}
	text_putf(w, "%s: %s\r\n", name, value);
	return 0;
}

static int fields_put(struct writer *w, const struct http_answer *answer) {
	const char *policy = or_default(answer->content_policy, "default-src 'none'");
	const char *ancestors = or_default(answer->frame_ancestors, "'none'");
	if (!head_value_is_safe(policy) || !head_value_is_safe(ancestors)) {
		return -EINVAL;
	}
	text_putf(w, "Content-Security-Policy: %s; frame-ancestors %s\r\n", policy, ancestors);
	text_put(w, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n");
	int rc = field_put(w, "Cache-Control", or_default(answer->cache_control, "no-store"));
	rc = rc < 0 ? rc : field_put(w, "Content-Type", answer->content_type);
	rc = rc < 0 ? rc : field_put(w, "Location", answer->location);
	return rc < 0 ? rc : field_put(w, "Set-Cookie", answer->set_cookie);
}

int http_answer_write(const struct http_answer *answer, char *buf, size_t size) {
	assert(answer->status >= 100 && answer->status <= 599);
	struct writer w = writer_over(buf, size);
	text_putf(&w, "HTTP/1.1 %d %s\r\n", answer->status,
			head_phrase(phrases, ARRAY_LEN(phrases), answer->status, "Status"));
	int rc = fields_put(&w, answer);
	if (rc < 0) {
		return rc;
	}
	if (!answer->endless) {
		text_putf(&w, "Content-Length: %zu\r\n", answer->content_length);
	}
	text_put(&w, answer->keep_alive && !answer->endless ? "Connection: keep-alive\r\n\r\n"
							    : "Connection: close\r\n\r\n");
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

int http_get_write(const char *host, const char *target, char *buf, size_t size) {
	if (!head_value_is_safe(host) || !head_value_is_safe(target) || strchr(target, ' ')) {
		return -EINVAL;
	}
	struct writer w = writer_over(buf, size);
	text_putf(&w, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host);
	return w.failed ? -ENOSPC : (int)(size - w.left);
}

/* A transfer coding of "chunked" and nothing else about the length. */
static int chunked_parse(const struct head *head, bool *out) {
	struct span coding, length;
	int rc = head_find(head, "Transfer-Encoding", &coding);
	*out = rc == 0;
	if (rc == -ENOENT) {
		return 0;
	}
	if (rc < 0 || head_find(head, "Content-Length", &length) != -ENOENT) {
		return -EBADMSG;
	}
	return span_is_nocase(coding, "chunked") ? 0 : -ENOTSUP;
}

static int response_parse(const char *data, size_t len, size_t seen, bool may_chunk,
		struct http_response *out) {
	int head_len = head_scan(data, len, seen, HTTP_HEAD_MAX);
	if (head_len < 0) {
		return head_len;
	}
	struct http_response response = { 0 };
	unsigned minor;
	size_t status;
	int rc = head_parse(data, (size_t)head_len, &response.head);
	struct span start = response.head.start;
	if (rc < 0 || start.len < 12 || start.at[8] != ' ' ||
			(start.len > 12 && start.at[12] != ' ')) {
		return rc < 0 ? rc : -EBADMSG;
	}
	rc = version_parse((struct span){ start.at, 8 }, &minor);
	rc = rc < 0 ? rc : head_number((struct span){ start.at + 9, 3 }, 599, &status);
	if (rc == 0 && may_chunk) {
		rc = chunked_parse(&response.head, &response.chunked);
	}
	if (rc == 0 && !response.chunked) {
		rc = length_parse(&response.head, &response.has_length, &response.content_length);
	}
	if (rc < 0 || status < 100) {
		return rc < 0 ? rc : -EBADMSG;
	}
	response.status = (int)status;
	*out = response;
	return head_len;
}

int http_response_parse(const char *data, size_t len, size_t seen, struct http_response *out) {
	return response_parse(data, len, seen, false, out);
}

int http_response_parse_framed(
		const char *data, size_t len, size_t seen, struct http_response *out) {
	return response_parse(data, len, seen, true, out);
}
