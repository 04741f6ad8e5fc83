/* SPDX-License-Identifier: MIT */
#include "runner/engine.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "proto/http.h"
#include "proto/http_body.h"

enum {
	READ_SIZE = 16384,
	READS_MAX = 16, /* of one wake-up */
	NO_BODY_204 = 204,
	NO_BODY_304 = 304,
};

struct engine_call {
	struct engine *engine; /* borrowed */
	struct engine_call *next;
	struct engine_request request; /* method, target, body: not after the start */
	char *out;                     /* owned: the request */
	size_t out_len, sent;
	int fd;                             /* owned, -1: waits for a connection */
	struct sd_event_source *io, *timer; /* owned */
	char head[HTTP_HEAD_MAX];
	size_t head_len;
	struct http_body body;
	int status; /* 0: the head is not whole yet */
	char *text; /* owned */
	size_t text_len, text_size;
};

static void unlink_call(struct engine_call *call) {
	struct engine_call **at = &call->engine->first;
	while (*at && *at != call) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = call->next;
	}
}

static void free_call(struct engine_call *call) {
	if (!call) {
		return;
	}
	sd_event_source_disable_unref(call->io);
	sd_event_source_disable_unref(call->timer);
	fd_close(call->fd);
	free(call->out);
	free(call->text);
	free(call);
}

/* The call is freed before `done`, which may make another one. */
static void finish(struct engine_call *call, int status) {
	struct engine_request request = call->request;
	OWN(free) void *text = TAKE(call->text, NULL);
	size_t len = call->text_len;
	unlink_call(call);
	free_call(call);
	request.done(request.user, status, text ? text : "", len);
}

static void push_deadline(struct engine_call *call) {
	sd_event_source_set_time(
			call->timer, clock_now_us() + call->request.deadline_ms * US_PER_MS);
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	finish(user, -ETIMEDOUT);
	return 0;
}

static int keep_text(struct engine_call *call, struct span bytes) {
	size_t wanted = call->text_len + bytes.len + 1;
	if (wanted > ENGINE_TEXT_MAX) {
		return -ENOSPC;
	}
	if (wanted > call->text_size) {
		size_t size = wanted * 2;
		char *text = realloc(call->text, size);
		if (!text) {
			return -ENOMEM;
		}
		call->text = text;
		call->text_size = size;
	}
	memcpy(call->text + call->text_len, bytes.at, bytes.len);
	call->text_len += bytes.len;
	call->text[call->text_len] = '\0';
	return 0;
}

/* Only an answer that went well comes in pieces; what is wrong is said in one. */
static int pass_body(struct engine_call *call, const char *data, size_t len) {
	while (len > 0 && !http_body_done(&call->body)) {
		struct span piece;
		int n = http_body_take(&call->body, data, len, &piece);
		if (n < 0) {
			return n;
		}
		if (piece.len > 0 && call->request.piece && call->status < 300) {
			call->request.piece(call->request.user, piece);
		} else if (piece.len > 0) {
			int rc = keep_text(call, piece);
			if (rc < 0) {
				return rc;
			}
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int pass_head(struct engine_call *call, const char *data, size_t len) {
	size_t seen = call->head_len;
	size_t room = sizeof(call->head) - seen;
	size_t n = len < room ? len : room;
	struct http_response response;
	memcpy(call->head + seen, data, n);
	call->head_len += n;
	int taken = http_response_parse_framed(call->head, call->head_len, seen, &response);
	if (taken == -EAGAIN && n == len) {
		return 0;
	}
	if (taken < 0 || response.status < 200) {
		return taken < 0 && taken != -EAGAIN ? taken : -EPROTO;
	}
	call->status = response.status;
	http_body_begin(&call->body, &response,
			response.status == NO_BODY_204 || response.status == NO_BODY_304);
	size_t of_data = (size_t)taken - seen;
	return pass_body(call, data + of_data, len - of_data);
}

/* True while the call goes on. */
static bool pass(struct engine_call *call, const char *data, size_t len) {
	if (call->request.idle && call->request.deadline_ms) {
		push_deadline(call);
	}
	int rc = call->status ? pass_body(call, data, len) : pass_head(call, data, len);
	if (rc < 0) {
		finish(call, rc);
		return false;
	}
	if (call->status && http_body_done(&call->body)) {
		finish(call, call->status);
		return false;
	}
	return true;
}

/* The other side has closed: the end of a body that has no other. */
static void handle_end(struct engine_call *call, int error) {
	bool whole = error == 0 && call->status && !call->body.chunked &&
		     call->body.left == UINT64_MAX;
	finish(call, whole ? call->status : error ? error : -ECONNRESET);
}

static void read_answer(struct engine_call *call) {
	char bytes[READ_SIZE];
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(call->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			return;
		}
		if (n <= 0) {
			handle_end(call, n < 0 ? -errno : 0);
			return;
		}
		if (!pass(call, bytes, (size_t)n)) {
			return;
		}
	}
}

static int send_request(struct engine_call *call) {
	while (call->sent < call->out_len) {
		ssize_t n = send(call->fd, call->out + call->sent, call->out_len - call->sent,
				MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			return errno == EAGAIN ? 0 : -errno;
		}
		call->sent += (size_t)n;
	}
	sd_event_source_set_io_events(call->io, EPOLLIN);
	return 0;
}

static int handle_io(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)source;
	(void)fd;
	struct engine_call *call = user;
	int rc = revents & EPOLLOUT ? send_request(call) : 0;
	if (rc < 0) {
		finish(call, rc);
	} else if (revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
		read_answer(call);
	}
	return 0;
}

static bool write_request(struct engine_call *call) {
	const struct engine_request *request = &call->request;
	size_t body = request->body ? strlen(request->body) : 0;
	size_t size = body + strlen(request->target) + 256;
	call->out = malloc(size);
	if (!call->out) {
		return false;
	}
	text_format(call->out, size,
			"%s " ENGINE_API "%s HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
			"Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			request->method, request->target, body, request->body ? request->body : "");
	call->out_len = strlen(call->out);
	return true;
}

struct engine_call *engine_call(struct engine *engine, const struct engine_request *request) {
	struct engine_call *call = calloc(1, sizeof(*call));
	if (!call) {
		return NULL;
	}
	call->engine = engine;
	call->request = *request;
	call->fd = -1;
	uint64_t at = request->deadline_ms ? clock_now_us() + request->deadline_ms * US_PER_MS
					   : UINT64_MAX;
	if (!write_request(call) || sd_event_add_time(engine->event, &call->timer, CLOCK_MONOTONIC,
						    at, 1000, handle_overdue, call) < 0) {
		free_call(call);
		return NULL;
	}
	struct engine_call **last = &engine->first;
	while (*last) {
		last = &(*last)->next;
	}
	*last = call;
	engine->ask(engine->user);
	return call;
}

void engine_cancel(struct engine *engine, struct engine_call *call) {
	(void)engine;
	if (call) {
		unlink_call(call);
		free_call(call);
	}
}

static struct engine_call *next_waiting(struct engine *engine) {
	struct engine_call *call = engine->first;
	while (call && call->fd >= 0) {
		call = call->next;
	}
	return call;
}

void engine_give(struct engine *engine, int fd) {
	struct engine_call *call = next_waiting(engine);
	if (!call) {
		fd_close(fd); /* its call is over */
		return;
	}
	call->fd = fd;
	int rc = sd_event_add_io(engine->event, &call->io, fd, EPOLLIN | EPOLLOUT, handle_io, call);
	if (rc < 0) {
		finish(call, rc);
	}
}

void engine_refuse(struct engine *engine, int error) {
	struct engine_call *call = next_waiting(engine);
	if (call) {
		finish(call, error);
	}
}

void engine_finish(struct engine *engine) {
	while (engine->first) {
		engine_cancel(engine, engine->first);
	}
}
