/* SPDX-License-Identifier: MIT */
#include "gate/connection.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/random.h"
#include "gate/connection_io.h"

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *user);
static void process(struct connection *connection);
static void receive(struct connection *connection);

static void count(struct connections *pool, enum pulse_counter_gate counter) {
	pulse_add(*pool->pulse, counter, 1);
}

/* ---- phases ---- */

static void set_phase(struct connection *connection, enum connection_phase phase, uint64_t due_us) {
	struct connections *pool = connection->pool;
	connection->phase = phase;
	deadline_arm(&pool->deadlines[phase], &connection->deadline, due_us);
	connections_arm(pool);
}

static uint64_t in_ms(uint64_t ms) {
	return clock_now_us() + ms * US_PER_MS;
}

/* ---- closing ---- */

void connection_close(struct connection *connection) {
	if (!connection->open) {
		return;
	}
	struct connections *pool = connection->pool;
	if (connection->phase == PHASE_PENDING || connection->streaming) {
		connection->class->gone(connection);
	}
	connection->open = false;
	connection->streaming = false;
	connection->generation++;
	deadline_disarm(&connection->deadline);
	connection->io = sd_event_source_disable_unref(connection->io);
	tls_destroy(TAKE(connection->tls, NULL));
	fd_release(&connection->fd);
	connection_io_drop_input(connection);
	connection_io_drop_output(connection);
	places_free(&pool->places, connection->slot);
	pulse_set(*pool->pulse, PULSE_GATE_OPEN, pool->places.open);
	connections_resume(pool);
	connections_calm(pool);
}

/* Our side is done: say so, and wait for the client's end, so that an answer still on its
 * way is not destroyed by the reset that unread bytes would cause. */
static void linger(struct connection *connection) {
	if (connection->tls) {
		tls_end(connection->tls);
	}
	if (shutdown(connection->fd, SHUT_WR) < 0 || connection->peer_ended) {
		connection_close(connection);
		return;
	}
	connection_io_drop_input(connection);
	places_change(&connection->pool->places, connection->slot, PLACE_IDLE);
	set_phase(connection, PHASE_LINGER, in_ms(CONNECTION_LINGER_MS));
	connection_io_want(connection, EPOLLIN);
}

/* ---- answering ---- */

static bool is_reading(const struct connection *connection) {
	return connection->open &&
	       (connection->phase == PHASE_HEAD || connection->phase == PHASE_BODY ||
			       connection->phase == PHASE_IDLE);
}

static void finish_answer(struct connection *connection) {
	connection_io_drop_output(connection);
	if (!connection->keep_alive || connection->peer_ended) {
		linger(connection);
		return;
	}
	places_change(&connection->pool->places, connection->slot, PLACE_IDLE);
	set_phase(connection, PHASE_IDLE, in_ms(CONNECTION_IDLE_MS));
	connection_io_want(connection, EPOLLIN);
	if (connection->processing) {
		return;
	}
	/* The next request may be here already, where no epoll sees it. */
	process(connection);
	if (is_reading(connection) && connection->tls && tls_has_more(connection->tls)) {
		receive(connection);
	}
}

/* True when all of it is written; else it waits, or is closed. */
static bool write_all(struct connection *connection) {
	bool progress = false;
	uint32_t events = EPOLLOUT;
	while (connection->out_done < connection->out_len ||
			connection->body_done < connection->body_len) {
		bool head = connection->out_done < connection->out_len;
		const char *from = head ? connection->out : (const char *)connection->body;
		size_t *done = head ? &connection->out_done : &connection->body_done;
		size_t len = head ? connection->out_len : connection->body_len;
		int rc = connection_io_write(connection, from + *done, len - *done, &events);
		if (rc == -EAGAIN) {
			uint64_t due = in_ms(CONNECTION_STALL_MS);
			if (progress || connection->phase != PHASE_WRITE) {
				set_phase(connection, PHASE_WRITE,
						due < connection->answer_due_us
								? due
								: connection->answer_due_us);
			}
			connection_io_want(connection, events);
			return false;
		}
		if (rc < 0) {
			connection_close(connection);
			return false;
		}
		*done += (size_t)rc;
		progress = true;
	}
	return true;
}

/* Nothing is left to write, and the stream goes on. */
static void rest(struct connection *connection) {
	if (connection->peer_ended) {
		connection_close(connection);
		return;
	}
	places_change(&connection->pool->places, connection->slot, PLACE_IDLE);
	set_phase(connection, PHASE_STREAM, in_ms(CONNECTION_QUIET_MS));
	connection_io_want(connection, 0);
}

static void flush(struct connection *connection) {
	do {
		if (!write_all(connection)) {
			return;
		}
		if (connection->streaming) {
			connection_io_drop_output(connection);
		}
	} while (connection->streaming && connection->class->more(connection));
	if (connection->streaming) {
		rest(connection);
	} else {
		finish_answer(connection);
	}
}

void connection_stream_begin(struct connection *connection, char *out, size_t out_len) {
	assert(connection->class->more);
	connection->streaming = true;
	connection_answer(connection, out, out_len, NULL, 0, NULL, false);
}

void connection_stream_wake(struct connection *connection) {
	if (!connection->open || connection->phase != PHASE_STREAM) {
		return; /* what is being written wakes it */
	}
	if (connection->class->more(connection)) {
		flush(connection);
	}
}

void connection_stream_give(struct connection *connection, char *out, size_t out_len) {
	connection_io_drop_output(connection);
	connection->out = out;
	connection->out_len = out_len;
	connection->answer_due_us = in_ms(CONNECTION_ANSWER_MS);
}

void connection_stream_put(struct connection *connection, char *out, size_t out_len) {
	assert(connection->phase == PHASE_STREAM);
	connection_stream_give(connection, out, out_len);
	flush(connection);
}

void connection_stream_end(struct connection *connection) {
	if (connection->streaming) {
		connection->class->gone(connection);
		connection->streaming = false;
	}
}

void connection_answer(struct connection *connection, char *out, size_t out_len, const void *body,
		size_t body_len, struct connection_keep *keep, bool keep_alive) {
	assert(connection->open && connection->phase == PHASE_PENDING);
	connection->out = out;
	connection->out_len = out_len;
	connection->body = body;
	connection->body_len = body_len;
	if (keep) {
		keep->count++;
	}
	connection->keep = keep;
	connection->keep_alive = keep_alive && connection->pool->listening;
	connection->answer_due_us = in_ms(CONNECTION_ANSWER_MS);
	set_phase(connection, PHASE_WRITE, in_ms(CONNECTION_STALL_MS));
	flush(connection);
}

uint32_t connection_request(const struct connection *connection) {
	return (uint32_t)connection->slot << 16 | connection->generation;
}

uint32_t connection_begin(struct connection *connection, uint32_t timeout_ms) {
	if (++connection->generation == 0) {
		connection->generation = 1;
	}
	uint8_t random[8];
	random_fill(random, sizeof(random));
	hex_encode(random, sizeof(random), connection->trace);
	connection->begun_us = clock_now_us();
	connection->awaits = 0;
	connection->wait = NULL;
	connection->streaming = false;
	connection->path = "";
	connection->quiet = false;
	places_change(&connection->pool->places, connection->slot, PLACE_BUSY);
	set_phase(connection, PHASE_PENDING, in_ms(timeout_ms));
	connection_io_want(connection, 0);
	count(connection->pool, PULSE_GATE_REQUESTS);
	return connection_request(connection);
}

void connection_extend(struct connection *connection, uint32_t timeout_ms) {
	assert(connection->phase == PHASE_PENDING);
	set_phase(connection, PHASE_PENDING, in_ms(timeout_ms));
}

void connection_body(struct connection *connection) {
	if (connection->phase != PHASE_BODY) {
		set_phase(connection, PHASE_BODY, in_ms(CONNECTION_BODY_MS));
	}
}

/* ---- reading ---- */

static void process(struct connection *connection) {
	connection->processing = true;
	while (is_reading(connection) && connection->in_len > 0) {
		if (connection->phase == PHASE_IDLE) {
			places_change(&connection->pool->places, connection->slot, PLACE_YOUNG);
			set_phase(connection, PHASE_HEAD, in_ms(CONNECTION_HEAD_MS));
		}
		int rc = connection->class->receive(connection);
		if (rc == -EAGAIN) {
			break;
		}
		if (rc < 0) {
			connection_close(connection);
			break;
		}
		if (connection->open && connection->in_len > 0) {
			connection_io_consume(connection, (size_t)rc);
		}
	}
	connection->processing = false;
}

static void receive(struct connection *connection) {
	size_t batch = 0;
	uint32_t events = EPOLLIN;
	int rc;
	do {
		rc = connection_io_make_room(connection);
		if (rc == 0) {
			rc = connection_io_read(connection, connection->in + connection->in_len,
					connection->in_size - connection->in_len, &events);
		}
		if (rc == -EAGAIN) {
			connection_io_want(connection, events);
			return;
		}
		if (rc <= 0) {
			connection_close(connection);
			return;
		}
		connection->in_len += (size_t)rc;
		batch += (size_t)rc;
		process(connection);
		/* What the library has decrypted already wakes no epoll. */
	} while (is_reading(connection) &&
			(batch < CONNECTION_IO_BATCH ||
					(connection->tls && tls_has_more(connection->tls))));
}

/* ---- handshake ---- */

static void check_certificate(struct connection *connection) {
	uint8_t der[TLS_DER_MAX];
	size_t len;
	connection->certified = tls_peer(connection->tls, der, &len, connection->fingerprint) == 0;
	struct connections *pool = connection->pool;
	if (connection->certified && pool->trusts && pool->trusts(pool->user, connection)) {
		places_know(&pool->places, connection->slot);
		sd_event_source_set_priority(connection->io, CONNECTION_PRIORITY_KNOWN);
		places_change(&pool->places, connection->slot, PLACE_BUSY);
	}
}

/* A client that does not switch Nagle's algorithm off holds its request back until its last
 * flight is acknowledged, for which the kernel would take 40 ms: we have nothing to say yet. */
static void acknowledge(const struct connection *connection) {
	int on = 1;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static void handshake(struct connection *connection) {
	uint32_t events = EPOLLIN;
	int rc = tls_handshake(connection->tls, &events);
	if (rc == -EAGAIN) {
		if (tls_has_greeted(connection->tls)) {
			places_change(&connection->pool->places, connection->slot, PLACE_GREETED);
		}
		connection_io_want(connection, events);
		return;
	}
	if (rc < 0) {
		connection_close(connection);
		return;
	}
	count(connection->pool, PULSE_GATE_HANDSHAKES);
	check_certificate(connection);
	set_phase(connection, PHASE_HEAD, in_ms(CONNECTION_HEAD_MS));
	connection_io_want(connection, EPOLLIN);
	acknowledge(connection);
	receive(connection);
}

static void handle_end_while_pending(struct connection *connection) {
	if (!connection->class->half_close) {
		connection_close(connection);
		return;
	}
	connection->peer_ended = true;
	connection_io_want(connection, 0);
}

static int handle_io(sd_event_source *source, int fd, uint32_t events, void *user) {
	(void)source;
	(void)fd;
	struct connection *connection = (struct connection *)user;
	if (events & (EPOLLERR | EPOLLHUP)) {
		connection_close(connection);
		return 0;
	}
	switch (connection->phase) {
	case PHASE_HANDSHAKE:
		handshake(connection);
		break;
	case PHASE_HEAD:
	case PHASE_BODY:
	case PHASE_IDLE:
		receive(connection);
		break;
	case PHASE_PENDING:
		if (events & EPOLLRDHUP) {
			handle_end_while_pending(connection);
		}
		break;
	case PHASE_STREAM:
		if (events & EPOLLRDHUP) {
			connection_close(connection);
		}
		break;
	case PHASE_WRITE:
		/* Level-triggered: not to be told again while the rest goes out. */
		connection->peer_ended |= (events & EPOLLRDHUP) != 0;
		flush(connection);
		break;
	case PHASE_LINGER:
		if (!connection_io_swallow(connection)) {
			connection_close(connection);
		}
		break;
	case PHASES:
		break;
	}
	return 0;
}

int connection_start(struct connection *connection) {
	struct connections *pool = connection->pool;
	connection->wanted = EPOLLIN | EPOLLRDHUP;
	if (connection->class->tls) {
		connection->tls = pool->tls ? tls_create(pool->tls, connection->fd) : NULL;
		if (!connection->tls) {
			return -ENOMEM;
		}
	}
	int rc = sd_event_add_io(pool->event, &connection->io, connection->fd, connection->wanted,
			handle_io, connection);
	if (rc < 0) {
		return rc;
	}
	/* An honest client's first bytes are mostly here: reading them at once tells it from the
	 * idlers, which give way when places are short. A stranger's signature costs a
	 * millisecond, though: it waits until nobody who is known has something to do. */
	bool known = pool->places.place[connection->slot].known;
	if (known) {
		sd_event_source_set_priority(connection->io, CONNECTION_PRIORITY_KNOWN);
	}
	if (connection->tls) {
		set_phase(connection, PHASE_HANDSHAKE, in_ms(CONNECTION_HANDSHAKE_MS));
		if (known) {
			handshake(connection);
		}
	} else {
		set_phase(connection, PHASE_HEAD, in_ms(CONNECTION_HEAD_MS));
		receive(connection);
	}
	return 0;
}

void connection_expire(struct connection *connection) {
	if (connection->streaming) {
		connection->class->overdue(connection); /* quiet, or it takes nothing */
		return;
	}
	count(connection->pool, PULSE_GATE_OVERDUE);
	if (connection->phase == PHASE_PENDING) {
		uint16_t generation = connection->generation;
		connection->class->overdue(connection);
		if (connection->open && connection->phase == PHASE_PENDING &&
				connection->generation == generation &&
				!connection->deadline.list) {
			connection_close(connection);
		}
		return;
	}
	connection_close(connection);
}
