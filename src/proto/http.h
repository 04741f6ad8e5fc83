/* SPDX-License-Identifier: MIT */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "proto/head.h"

/* HTTP/1.0 and HTTP/1.1 heads (RFC 9112), both directions, for the gate and for the
 * probe. Spans are borrowed from the bytes given. Bodies are the caller's. */
enum {
	HTTP_TARGET_MAX = 16 * 1024, /* a pairing certificate is some 2.4 KB of it */
	HTTP_HEAD_MAX = 24 * 1024,
	HTTP_BODY_MAX = INT32_MAX, /* what a Content-Length may say; callers set a lower one */
};

enum http_method {
	HTTP_GET,
	HTTP_POST,
};

struct http_request {
	enum http_method method;
	struct span path;  /* as sent, begins with '/' */
	struct span query; /* as sent, without '?', may be empty */
	struct span host;  /* empty when an HTTP/1.0 request has none */
	unsigned minor;    /* HTTP/1.<minor>, 0 or 1 */
	bool keep_alive;   /* the client would send another request on this connection */
	size_t content_length;
	struct head head; /* every field, for head_find() */
};

/* Reads one request head from the `len` bytes that have arrived so far; `seen` of them
 * were given to an earlier call that answered -EAGAIN (0 at first).
 *
 * Answers how many bytes the head took: the body of content_length bytes follows
 * there. -EAGAIN when it is incomplete. Else the connection is to be answered
 * http_status_of(rc) and closed: -EBADMSG malformed, -ENOSPC too long or too many
 * fields, -ENOTSUP method, version or transfer coding that is not served. */
int http_request_parse(
		const char *data, size_t len, size_t seen, struct http_request *out) NODISCARD;

/* 400, 431 or 501 for what http_request_parse() answers, 500 for anything else. */
int http_status_of(int rc);

/* The raw value of a query parameter, named in either case as Sunshine does: -ENOENT,
 * or -EBADMSG when it is given twice. */
int http_query_find(struct span query, const char *name, struct span *out) NODISCARD;

/* Undoes percent and '+' encoding into out, which is terminated. Answers the length.
 * -EBADMSG for a bad escape or a control byte, -ENOSPC when out is too small. */
int http_query_decode(struct span raw, char *out, size_t size) NODISCARD;

/* Finds and decodes. */
int http_query_text(struct span query, const char *name, char *out, size_t size) NODISCARD;

/* Finds and reads a decimal number. -ERANGE becomes -EBADMSG, too. */
int http_query_number(struct span query, const char *name, int64_t min, int64_t max,
		int64_t *out) NODISCARD;

/* What to answer. Strings are borrowed; NULL gives the default. */
struct http_answer {
	int status;
	const char *content_type;    /* default: no Content-Type */
	size_t content_length;       /* written unless endless */
	bool endless;                /* the body ends with the connection */
	bool keep_alive;             /* else Connection: close */
	const char *content_policy;  /* CSP without frame-ancestors; default-src 'none' */
	const char *frame_ancestors; /* 'none' */
	const char *cache_control;   /* no-store */
	const char *location;        /* none */
	const char *set_cookie;      /* none */
};

/* Writes a response head with its empty line and answers its length. Every answer
 * carries nosniff, a content policy and frame-ancestors. -EINVAL for a value with
 * a control byte in it, -ENOSPC when buf is too small. */
int http_answer_write(const struct http_answer *answer, char *buf, size_t size) NODISCARD;

/* Writes "GET target HTTP/1.1" and its fields, for the probe; Connection: close. */
int http_get_write(const char *host, const char *target, char *buf, size_t size) NODISCARD;

struct http_response {
	int status;
	bool has_length, chunked;
	size_t content_length; /* without either the body ends with the connection */
	struct head head;
};

/* As http_request_parse(), for a response. Chunked bodies are -ENOTSUP. */
int http_response_parse(
		const char *data, size_t len, size_t seen, struct http_response *out) NODISCARD;

/* The same for who reads chunked bodies as well (proto/http_body.h). */
int http_response_parse_framed(
		const char *data, size_t len, size_t seen, struct http_response *out) NODISCARD;

#endif
