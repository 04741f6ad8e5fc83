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
struct json_t;
struct route;
struct schema;

enum {
	REQUEST_BODY_MAX = 16 * 1024,
	REQUEST_BODY_LARGE = 52 * 1024, /* of some; with its head it fits CONNECTION_INPUT_MAX */
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
	/* Of the API: what its schema let through, of the body or of the query. Borrowed; NULL
	 * for a route without one. */
	struct json_t *json;
};

enum route_access {
	ACCESS_ANY,
	ACCESS_PAIRED, /* the certificate of a paired client */
	ACCESS_KEY,    /* the web key, or the Unix socket */
};

#define ON(door) (1u << DOOR_##door)

/* What a call of the API may do, each a right of its own: who has one has not the others. */
enum api_scope {
	SCOPE_READ,     /* see what there is and how it does */
	SCOPE_PAIR,     /* let a client in */
	SCOPE_CLIENTS,  /* change and forget clients */
	SCOPE_APPS,     /* change apps and profiles */
	SCOPE_SESSIONS, /* make, pause and end sessions */
	SCOPE_LOBBIES,  /* make, join, leave and end lobbies */
	SCOPE_SCREEN,   /* see pictures and the clipboard of a desktop */
	SCOPE_INPUT,    /* type, click and paste on a desktop */
	SCOPE_ADMIN,    /* restart processes, make tokens */
	SCOPES,
};

/* What a route says about itself beyond how it is found: the OpenAPI document is made
 * from this, and requests are checked against it. */
struct route_words {
	enum api_scope scope;
	const struct schema *takes; /* of a GET its query, else its body; NULL: nothing */
	const struct schema *gives; /* NULL: {"success": true} */
	const char *media;          /* of an answer that is not JSON */
	const char *words;          /* one sentence; NULL: not in the document */
};

struct route {
	const char *path;
	unsigned doors; /* ON(door) | ... */
	enum http_method method;
	enum route_access access;
	bool quiet; /* polled: logged as debug only */
	void (*handle)(struct request *request);
	uint32_t body_max; /* bytes; 0: REQUEST_BODY_MAX */
	struct route_words about; /* of the API alone */
};

/* Pure. -ENOENT: no such path on this door. -ENOTSUP: another method. */
int route_find(const struct route *routes, size_t count, enum ipc_door door,
		enum http_method method, struct span path, const struct route **out) NODISCARD;

/* One role's routes and refusals. */
struct request_site {
	const struct route *routes;
	size_t n_routes;
	/* Answers, by the route's handler or with the reason why not. */
	void (*serve)(struct request *request, const struct route *route);
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

/* For an answer that is given in another way. */
void request_log(const struct connection *connection, int code);

#endif
