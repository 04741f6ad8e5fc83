/* SPDX-License-Identifier: MIT */
#ifndef GATE_CONNECTION_IO_H
#define GATE_CONNECTION_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

struct connection;

/* The bytes of a connection, between its socket or TLS and its buffers; for connection.c,
 * which knows phases and deadlines. Main thread only. */

enum {
	CONNECTION_IO_BATCH = 64 * 1024, /* bytes of one connection per wake-up */
};

/* epoll events to wait for; the client's end is always among them until it was seen. */
void connection_io_want(struct connection *connection, uint32_t events);

/* How many bytes, 0 at the client's end; -EAGAIN with what to wait for in *out_events, or
 * -ECONNRESET. */
int connection_io_write(struct connection *connection, const void *buf, size_t len,
		uint32_t *out_events) NODISCARD;
int connection_io_read(struct connection *connection, void *buf, size_t size,
		uint32_t *out_events) NODISCARD;

/* Room for a chunk more behind what was read. -ENOSPC when a request is too long, -ENOMEM. */
int connection_io_make_room(struct connection *connection) NODISCARD;

/* A request of len bytes is done with: what follows it moves to the front. */
void connection_io_consume(struct connection *connection, size_t len);

/* Wiped, freed; what the answer borrowed is given back. */
void connection_io_drop_input(struct connection *connection);
void connection_io_drop_output(struct connection *connection);

/* Reads and forgets what is there. False once nothing more will come. */
bool connection_io_swallow(struct connection *connection);

#endif
