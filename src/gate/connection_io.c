/* SPDX-License-Identifier: MIT */
#include "gate/connection_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "gate/connection.h"

enum {
	READ_CHUNK = 4096,
};

void connection_io_want(struct connection *connection, uint32_t events) {
	if (!connection->peer_ended) {
		events |= EPOLLRDHUP;
	}
	if (connection->wanted != events && connection->io) {
		connection->wanted = events;
		sd_event_source_set_io_events(connection->io, events);
	}
}

static void wipe_free(char **buf, size_t size) {
	if (*buf) {
		explicit_bzero(*buf, size);
		free(*buf);
		*buf = NULL;
	}
}

void connection_io_drop_input(struct connection *connection) {
	wipe_free(&connection->in, connection->in_size);
	connection->in_len = connection->in_size = 0;
}

void connection_io_drop_output(struct connection *connection) {
	wipe_free(&connection->out, connection->out_len);
	connection_keep_drop(TAKE(connection->keep, NULL));
	connection->body = NULL;
	connection->out_len = connection->out_done = 0;
	connection->body_len = connection->body_done = 0;
}

int connection_io_write(
		struct connection *connection, const void *buf, size_t len, uint32_t *out_events) {
	if (connection->tls) {
		return tls_write(connection->tls, buf, len, out_events);
	}
	ssize_t n = send(connection->fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n >= 0) {
		return (int)n;
	}
	*out_events = EPOLLOUT;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -ECONNRESET;
}

int connection_io_read(
		struct connection *connection, void *buf, size_t size, uint32_t *out_events) {
	if (connection->tls) {
		return tls_read(connection->tls, buf, size, out_events);
	}
	ssize_t n = recv(connection->fd, buf, size, MSG_DONTWAIT);
	if (n >= 0) {
		return (int)n;
	}
	*out_events = EPOLLIN;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -ECONNRESET;
}

int connection_io_make_room(struct connection *connection) {
	if (connection->in_size - connection->in_len >= READ_CHUNK) {
		return 0;
	}
	size_t size = connection->in_size ? connection->in_size * 2 : 2 * READ_CHUNK;
	if (size > CONNECTION_INPUT_MAX) {
		size = CONNECTION_INPUT_MAX;
	}
	if (size <= connection->in_len) {
		return -ENOSPC;
	}
	char *bigger = malloc(size);
	if (!bigger) {
		return -ENOMEM;
	}
	if (connection->in_len) {
		memcpy(bigger, connection->in, connection->in_len);
	}
	wipe_free(&connection->in, connection->in_size);
	connection->in = bigger;
	connection->in_size = size;
	return 0;
}

void connection_io_consume(struct connection *connection, size_t len) {
	size_t rest = connection->in_len - len;
	memmove(connection->in, connection->in + len, rest);
	explicit_bzero(connection->in + rest, len);
	connection->in_len = rest;
	memset(connection->seen, 0, sizeof(connection->seen));
}

bool connection_io_swallow(struct connection *connection) {
	char waste[READ_CHUNK];
	for (unsigned i = 0; i < CONNECTION_IO_BATCH / READ_CHUNK; i++) {
		ssize_t n = recv(connection->fd, waste, sizeof(waste), MSG_DONTWAIT);
		if (n <= 0) {
			return n < 0 && (errno == EAGAIN || errno == EINTR);
		}
	}
	return true;
}
