/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_HTTP_H
#define CLI_PROBE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "cli/probe_identity.h"
#include "cli/probe_transcript.h"

/* GET over HTTP or HTTPS as Moonlight clients do it: one connection that is kept and
 * used again, this client's certificate shown whenever asked for, the host's compared
 * byte by byte with the pinned one and by nothing else. */
enum {
	PROBE_BODY_MAX = 16 << 20,
};

struct ssl_st;
struct ssl_ctx_st;

struct probe_http {
	struct address address;
	bool secure;
	const struct probe_identity *identity; /* borrowed */
	struct probe_transcript *transcript;   /* borrowed */
	struct ssl_ctx_st *context;            /* owned; NULL when not secure */
	struct ssl_st *tls;                    /* owned; NULL while not connected */
	int fd;                                /* owned; -1 while not connected */
	char *body;                            /* owned: the last answer's */
	unsigned connections;                  /* opened so far */
};

/* -ENOMEM. */
int probe_http_init(struct probe_http *http, const struct address *address, bool secure,
		const struct probe_identity *identity,
		struct probe_transcript *transcript) NODISCARD;
void probe_http_finish(struct probe_http *http);

/* Leaves the connection, so that the next request makes another. */
void probe_http_hang_up(struct probe_http *http);

struct probe_answer {
	int status;
	const char *body; /* borrowed until the next request; terminated */
	size_t len;
};

/* Asks for target ("/path?query") and waits up to limit_ms for the whole answer.
 * -EACCES when the host shows another certificate than the pinned one, -EPROTO when
 * TLS fails or picks HTTP/2, -EBADMSG for what is no HTTP, -EPIPE when the connection
 * ends too soon. */
int probe_http_get(struct probe_http *http, const char *target, uint32_t limit_ms,
		struct probe_answer *out) NODISCARD;

#endif
