/* SPDX-License-Identifier: MIT */
#include "cli/api.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "cli/net.h"
#include "proto/http.h"

static bool socket_in(const char *folder, struct api *api) {
	return text_format(api->socket, sizeof(api->socket), "%s/api.sock", folder) &&
	       access(api->socket, F_OK) == 0;
}

int api_find(const char *runtime, struct api *out) {
	*out = (struct api){ 0 };
	if (runtime) {
		return socket_in(runtime, out) ? 0 : -ENOENT;
	}
	char own[API_PATH_MAX], last[API_PATH_MAX];
	const char *session = getenv("XDG_RUNTIME_DIR");
	if (session && text_format(own, sizeof(own), "%s/perigee", session) &&
			socket_in(own, out)) {
		return 0;
	}
	text_format(last, sizeof(last), "/tmp/perigee-%u", (unsigned)getuid());
	return socket_in("/run/perigee", out) || socket_in(last, out) ? 0 : -ENOENT;
}

void api_answer_finish(struct api_answer *answer) {
	json_decref(answer->json);
	*answer = (struct api_answer){ 0 };
}

static int ask(int fd, const char *target, const json_t *body, uint64_t deadline_ns) {
	OWN(free) void *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	if (body && !text) {
		return -ENOMEM;
	}
	char head[1024];
	struct writer w = writer_over(head, sizeof(head));
	text_putf(&w, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n",
			body ? "POST" : "GET", target);
	if (body) {
		text_putf(&w, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
				strlen(text));
	}
	text_put(&w, "\r\n");
	if (w.failed) {
		return -ENOSPC;
	}
	int rc = net_write(fd, head, sizeof(head) - w.left, deadline_ns);
	return rc < 0 || !body ? rc : net_write(fd, text, strlen(text), deadline_ns);
}

/* Reads to the connection's end. */
static int read_all(int fd, char *buf, size_t size, size_t *out_len) {
	size_t len = 0;
	for (;;) {
		if (len == size) {
			return -ENOSPC;
		}
		int got = net_read(fd, buf + len, size - len, net_deadline_ns(NET_LIMIT_MS));
		if (got < 0) {
			return got;
		}
		if (got == 0) {
			*out_len = len;
			return 0;
		}
		len += (size_t)got;
		struct http_response response;
		int head = http_response_parse(buf, len, 0, &response);
		if (head > 0 && response.has_length &&
				len - (size_t)head >= response.content_length) {
			*out_len = (size_t)head + response.content_length;
			return 0;
		}
	}
}

/* A whole answer into buf; *out_head is where its body begins. */
static int exchange(const struct api *api, const char *target, const json_t *body, char *buf,
		size_t size, size_t *out_len, size_t *out_head, int *out_status) {
	uint64_t deadline_ns = net_deadline_ns(NET_LIMIT_MS);
	OWN(fd_close) int fd = -1;
	int rc = net_connect_unix(api->socket, deadline_ns, &fd);
	rc = rc < 0 ? rc : ask(fd, target, body, deadline_ns);
	rc = rc < 0 ? rc : read_all(fd, buf, size, out_len);
	if (rc < 0) {
		return rc;
	}
	struct http_response response;
	int head = http_response_parse(buf, *out_len, 0, &response);
	if (head < 0) {
		return -EBADMSG;
	}
	*out_head = (size_t)head;
	*out_status = response.status;
	return 0;
}

int api_call(const struct api *api, const char *target, const json_t *body,
		struct api_answer *out) {
	OWN(free) void *buf = malloc(API_BODY_MAX);
	size_t len = 0, head = 0;
	int status = 0;
	int rc = buf ? exchange(api, target, body, buf, API_BODY_MAX, &len, &head, &status)
		     : -ENOMEM;
	if (rc < 0) {
		return rc;
	}
	json_error_t error;
	*out = (struct api_answer){ .status = status,
		.json = json_loadb((const char *)buf + head, len - head,
				JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error) };
	return 0;
}

int api_get_bytes(const struct api *api, const char *target, size_t size, void **out,
		const char **out_body, size_t *out_len, int *out_status) {
	OWN(free) void *buf = malloc(size);
	size_t len = 0, head = 0;
	int rc = buf ? exchange(api, target, NULL, buf, size, &len, &head, out_status) : -ENOMEM;
	if (rc < 0) {
		return rc;
	}
	*out_body = (const char *)buf + head;
	*out_len = len - head;
	*out = TAKE(buf, NULL);
	return 0;
}

int api_get_text(const struct api *api, const char *target, char *out, size_t size,
		int *out_status) {
	OWN(free) void *buf = malloc(API_BODY_MAX);
	size_t len = 0, head = 0;
	int rc = buf ? exchange(api, target, NULL, buf, API_BODY_MAX, &len, &head, out_status)
		     : -ENOMEM;
	size_t take = rc == 0 && len - head < size ? len - head : size - 1;
	if (rc == 0) {
		memcpy(out, (const char *)buf + head, take);
	}
	out[rc == 0 ? take : 0] = '\0';
	return rc;
}
