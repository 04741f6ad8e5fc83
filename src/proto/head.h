/* SPDX-License-Identifier: MIT */
#ifndef PROTO_HEAD_H
#define PROTO_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"
#include "base/text.h"

/* What HTTP/1.1 (RFC 9112) and RTSP/1.0 (RFC 2326) messages begin with: a start
 * line, field lines and an empty line, each ended by CR LF.
 *
 * Stricter than the RFCs allow to be: no bare LF or CR, no control byte, no
 * folded line, no empty line before the start line. All spans are borrowed from
 * the bytes given. Any thread. */
enum {
	HEAD_FIELDS_MAX = 64,
};

struct head_field {
	struct span name;
	struct span value; /* without blanks around it */
};

struct head {
	struct span start; /* the start line without its CR LF */
	struct head_field fields[HEAD_FIELDS_MAX];
	size_t n_fields;
};

/* Looks for the end of a head of at most max bytes at data. `seen` bytes of it were
 * looked at by an earlier call that answered -EAGAIN; 0 at first. So bytes that
 * arrive one by one are each looked at once.
 *
 * Answers the head's length with its empty line; -EAGAIN while it is incomplete,
 * -EBADMSG for a byte that may not stand there, -ENOSPC when it is too long. */
int head_scan(const char *data, size_t len, size_t seen, size_t max) NODISCARD;

/* Splits a head that head_scan() measured. -EBADMSG for a line that is no field,
 * -ENOSPC for more than HEAD_FIELDS_MAX. */
int head_parse(const char *data, size_t head_len, struct head *out) NODISCARD;

/* The value of the one field of that name in either case: -ENOENT for none, -EBADMSG
 * for several. */
int head_find(const struct head *head, const char *name, struct span *out) NODISCARD;

/* The start line's three parts, which one blank separates. -EBADMSG unless there
 * are exactly three and none is empty. */
int head_split_start(struct span start, struct span out_parts[3]) NODISCARD;

/* True when text can be a field's value as it is: no control byte, so no way out
 * of the line. */
bool head_value_is_safe(const char *text);

/* What an answer's status is called. */
struct head_phrase {
	int status;
	const char *words;
};

/* The words of a status in a table; the fallback for one that is not there. */
const char *head_phrase(
		const struct head_phrase *phrases, size_t count, int status, const char *fallback);

/* Digits only, at most max. -EBADMSG for anything else, -ENOSPC when greater. */
int head_number(struct span text, size_t max, size_t *out) NODISCARD;

#endif
