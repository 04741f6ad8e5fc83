/* SPDX-License-Identifier: MIT */
#ifndef GATE_REQUEST_H
#define GATE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"
#include "gate/connection.h"
#include "ipc/message.h"
#include "proto/http.h"

/* HTTP requests on connections: reading one, finding its route, answering. */

struct gate;
struct client;

enum {
	REQUEST_BODY_MAX = 16 * 1024,
	REQUEST_TIMEOUT_MS = 5000, /* until a handler says how long it may take */
};

/* Spans are borrowed from the connection's buffer and are gone when the handler
 * returns. */
struct request {
	struct gate *gate;
	struct connection *connection;
	struct http_request http;
	struct span body;
	const struct client *client; /* borrowed; NULL unless its certificate is paired */
};

enum route_access {
	ACCESS_ANY,
	ACCESS_PAIRED, /* the certificate of a paired client */
	ACCESS_KEY,    /* the web key, or the Unix socket */
};

#define ON(door) (1u << DOOR_##door)

struct route {
	const char *path;
	unsigned doors; /* ON(door) | ... */
	enum http_method method;
	enum route_access access;
	bool quiet; /* polled: logged as debug only */
	void (*handle)(struct request *request);
};

/* Pure. -ENOENT: no such path on this door. -ENOTSUP: another method. */
int route_find(const struct route *routes, size_t count, enum ipc_door door,
		enum http_method method, struct span path, const struct route **out) NODISCARD;

/* One role's routes and refusals. */
struct request_site {
	const struct route *routes;
	size_t n_routes;
	/* Answers a request that its access does not allow; returns true when it did. */
	bool (*refuses)(struct request *request, const struct route *route);
	void (*not_found)(struct request *request, int status);
};

/* For a connection_class. */
int request_receive(struct connection *connection);

/* Answers and logs. body is copied; code is what the log says (an XML status, say). */
void request_answer(struct connection *connection, const struct http_answer *answer, int code,
		const void *body, size_t len);
/* The same with a body that keep holds, or that is constant (NULL). */
void request_answer_kept(struct connection *connection, const struct http_answer *answer, int code,
		const void *body, size_t len, struct connection_keep *keep);

#endif
