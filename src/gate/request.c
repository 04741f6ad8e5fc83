/* SPDX-License-Identifier: MIT */
#include "gate/request.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/gate.h"

enum {
	ANSWER_HEAD_MAX = 1024,
	COPY_MAX = 64 * 1024, /* a longer body goes out by itself */
};

int route_find(const struct route *routes, size_t count, enum ipc_door door,
		enum http_method method, struct span path, const struct route **out) {
	int rc = -ENOENT;
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &routes[i];
		if (!(route->doors & 1u << door) || !span_is(path, route->path)) {
			continue;
		}
		if (route->method == method) {
			*out = route;
			return 0;
		}
		rc = -ENOTSUP;
	}
	return rc;
}

static const char *door_name(enum ipc_door door) {
	static const char *const names[DOOR_HOME + 1] = {
		[DOOR_HTTP] = "http",
		[DOOR_HTTPS] = "https",
		[DOOR_RTSP] = "rtsp",
		[DOOR_WEB] = "web",
		[DOOR_API] = "api",
		[DOOR_DESK] = "desk",
		[DOOR_HOME] = "home",
	};
	return names[door] ? names[door] : "other";
}

void request_log(const struct connection *connection, int code) {
	char address[ADDRESS_TEXT_MAX];
	address_ip_text(&connection->peer, address);
	bool quiet = connection->quiet && code < 400;
	log_line(quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "request",
			"door=%s path=%s code=%d from=%s ms=%llu trace=%s",
			door_name(connection->door), connection->path, code, address,
			(unsigned long long)((clock_now_us() - connection->begun_us) / US_PER_MS),
			connection->trace);
}

void request_answer_kept(struct connection *connection, const struct http_answer *answer, int code,
		const void *body, size_t len, struct connection_keep *keep) {
	struct http_answer full = *answer;
	full.content_length = len;
	full.keep_alive = connection->keep_alive && connection->pool->listening;
	request_log(connection, code);
	bool copies = !keep && len <= COPY_MAX;
	char *out = malloc(ANSWER_HEAD_MAX + (copies ? len : 0));
	int head = out ? http_answer_write(&full, out, ANSWER_HEAD_MAX) : -ENOMEM;
	if (head < 0) {
		log_error("answer-failed", "path=%s error=%d", connection->path, head);
		free(out);
		connection_close(connection);
		return;
	}
	if (copies) {
		if (len) {
			memcpy(out + head, body, len);
		}
		connection_answer(connection, out, (size_t)head + len, NULL, 0, NULL,
				full.keep_alive);
	} else {
		connection_answer(connection, out, (size_t)head, body, len, keep, full.keep_alive);
	}
}

struct copy {
	struct connection_keep keep;
	char bytes[];
};

static void copy_destroy(struct connection_keep *keep) {
	free(container_of(keep, struct copy, keep));
}

void request_answer(struct connection *connection, const struct http_answer *answer, int code,
		const void *body, size_t len) {
	if (len <= COPY_MAX) {
		request_answer_kept(connection, answer, code, body, len, NULL);
		return;
	}
	struct copy *copy = malloc(sizeof(*copy) + len);
	if (!copy) {
		connection_close(connection);
		return;
	}
	copy->keep = (struct connection_keep){ .count = 1, .destroy = copy_destroy };
	memcpy(copy->bytes, body, len);
	request_answer_kept(connection, answer, code, copy->bytes, len, &copy->keep);
	connection_keep_drop(&copy->keep);
}

/* What cannot be read is answered with a bare status, and the connection ends. */
static int refuse(struct connection *connection, int status) {
	connection_begin(connection, REQUEST_TIMEOUT_MS);
	connection->keep_alive = false;
	connection->path = "unreadable";
	request_answer(connection, &(struct http_answer){ .status = status }, status, "", 0);
	return (int)connection->in_len;
}

static const struct client *identify(const struct gate *gate, const struct connection *connection) {
	uint8_t der[TLS_DER_MAX], fingerprint[32];
	size_t len;
	if (!connection->certified || tls_peer(connection->tls, der, &len, fingerprint) < 0) {
		return NULL;
	}
	return clients_find(&gate->clients, fingerprint, der, len);
}

static void dispatch(struct request *request) {
	struct connection *connection = request->connection;
	const struct request_site *site = request->gate->site;
	const struct route *route;
	int rc = route_find(site->routes, site->n_routes, connection->door, request->http.method,
			request->http.path, &route);
	if (rc < 0) {
		connection->path = "unknown";
		site->not_found(request, rc == -ENOTSUP ? 405 : 404);
		return;
	}
	connection->path = route->path;
	connection->quiet = route->quiet;
	site->serve(request, route);
}

static size_t body_max(const struct request *request) {
	const struct request_site *site = request->gate->site;
	const struct route *route;
	int rc = route_find(site->routes, site->n_routes, request->connection->door,
			request->http.method, request->http.path, &route);
	return rc == 0 && route->body_max ? route->body_max : REQUEST_BODY_MAX;
}

int request_receive(struct connection *connection) {
	struct request request = { .gate = (struct gate *)connection->pool->user,
		.connection = connection };
	int head = http_request_parse(
			connection->in, connection->in_len, connection->seen[0], &request.http);
	if (head == -EAGAIN) {
		connection->seen[0] = connection->in_len;
		return -EAGAIN;
	}
	if (head < 0) {
		return refuse(connection, http_status_of(head));
	}
	if (request.http.content_length > body_max(&request)) {
		return refuse(connection, 413);
	}
	size_t whole = (size_t)head + request.http.content_length;
	if (connection->in_len < whole) {
		connection->seen[0] = 0;
		connection_body(connection);
		return -EAGAIN;
	}
	request.body = (struct span){ connection->in + head, request.http.content_length };
	connection_begin(connection, REQUEST_TIMEOUT_MS);
	connection->keep_alive = request.http.keep_alive;
	request.client = identify(request.gate, connection);
	dispatch(&request);
	return (int)whole;
}
