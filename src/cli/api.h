/* SPDX-License-Identifier: MIT */
#ifndef CLI_API_H
#define CLI_API_H

#include <stddef.h>

#include <jansson.h>

#include "base/own.h"

/* The host's API on its Unix socket. */
enum {
	API_BODY_MAX = 4 << 20,
	API_PATH_MAX = 108, /* of a socket, with its NUL */
};

struct api {
	char socket[API_PATH_MAX];
};

/* Finds the socket: in `runtime` when given, else in the first of
 * $XDG_RUNTIME_DIR/perigee, /run/perigee and /tmp/perigee-UID that has one. -ENOENT,
 * and api->socket is the place looked at last. */
int api_find(const char *runtime, struct api *out) NODISCARD;

struct api_answer {
	int status;   /* of HTTP */
	json_t *json; /* owned; NULL when the body is not JSON */
};

void api_answer_finish(struct api_answer *answer);

/* GET, or POST when body (borrowed) is not NULL. The error is about getting an answer
 * at all; what it says is in answer->status. */
int api_call(const struct api *api, const char *target, const json_t *body,
		struct api_answer *out) NODISCARD;

/* GET of whatever it is, up to `size` bytes with its head. *out (owned by the caller, free())
 * holds it, and *out_body (within it) and *out_len say where its body is. */
int api_get_bytes(const struct api *api, const char *target, size_t size, void **out,
		const char **out_body, size_t *out_len, int *out_status) NODISCARD;

/* GET of a text: its first size - 1 bytes, terminated. */
int api_get_text(const struct api *api, const char *target, char *out, size_t size,
		int *out_status) NODISCARD;

#endif
