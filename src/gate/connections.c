/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "gate/connection.h"

/* The pool: listening, accepting, and the one timer. */

enum {
	ACCEPT_BATCH = 8, /* each may cost a signature: 1 ms */
	PAUSE_MS = 250,   /* for want of descriptors */
	LOG_GAP_US = 5 * 1000 * 1000,
	STORM = 16,            /* connections at a time: memory worth giving back */
	REST_US = 1000 * 1000, /* between two times that memory is given back at rest */
};

static void count(struct connections *pool, enum pulse_counter_gate counter) {
	pulse_add(*pool->pulse, counter, 1);
}

void connections_arm(struct connections *pool) {
	uint64_t next = deadlines_next(pool->deadlines, PHASES);
	if (pool->resume_us && pool->resume_us < next) {
		next = pool->resume_us;
	}
	if (pool->desk_resume_us && pool->desk_resume_us < next) {
		next = pool->desk_resume_us;
	}
	if (next == pool->timer_us || !pool->timer) {
		return;
	}
	pool->timer_us = next;
	if (next == UINT64_MAX) {
		sd_event_source_set_enabled(pool->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(pool->timer, next);
	sd_event_source_set_enabled(pool->timer, SD_EVENT_ONESHOT);
}

static void set_listeners(struct connections *pool, bool enabled) {
	for (size_t i = 0; i < pool->n_listeners; i++) {
		const struct listener *listener = &pool->listeners[i];
		if (listener->io) {
			sd_event_source_set_enabled(listener->io, enabled && !listener->resume_us
										  ? SD_EVENT_ON
										  : SD_EVENT_OFF);
		}
	}
}

void connections_resume(struct connections *pool) {
	if (pool->full && pool->listening) {
		pool->full = false;
		set_listeners(pool, true);
	}
}

/* The heap has holes then, which it would keep until its top is free, too: after a storm, and
 * when nobody is there, for requests and certificates of ever other sizes add to them for
 * hundreds of connections. It takes about 0.1 ms, a tenth of one handshake. */
void connections_calm(struct connections *pool) {
	uint64_t now_us = clock_now_us();
	bool storm = pool->peak >= STORM && pool->places.open <= pool->peak / 8;
	bool rest = pool->places.open == 0 && now_us - pool->trimmed_us >= REST_US;
	if (storm || rest) {
		pool->peak = pool->places.open;
		pool->trimmed_us = now_us;
		malloc_trim(0);
	}
}

/* ---- accepting ---- */

static void refuse(struct connections *pool, int fd, const char *why) {
	fd_close(fd);
	count(pool, PULSE_GATE_REFUSED);
	pool->refused++;
	uint64_t now = clock_now_us();
	if (now - pool->refusal_logged_us > LOG_GAP_US) {
		pool->refusal_logged_us = now;
		log_warning("connections-refused", "why=%s count=%llu open=%u", why,
				(unsigned long long)pool->refused, pool->places.open);
		pool->refused = 0;
	}
}

static void learn_addresses(struct connection *connection, const struct sockaddr_storage *peer,
		socklen_t peer_len) {
	struct sockaddr_storage local = { .ss_family = AF_UNSPEC };
	socklen_t local_len = sizeof(local);
	if (peer->ss_family == AF_UNIX) {
		struct ucred credentials;
		socklen_t len = sizeof(credentials);
		connection->uid = (uid_t)-1;
		if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) == 0) {
			connection->uid = credentials.uid;
		}
		return;
	}
	int on = 1;
	setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (address_from_sockaddr((const struct sockaddr *)peer, peer_len, &connection->peer) < 0 ||
			getsockname(connection->fd, (struct sockaddr *)&local, &local_len) < 0 ||
			address_from_sockaddr((const struct sockaddr *)&local, local_len,
					&connection->local) < 0) {
		connection->peer = connection->local = (struct address){ .port = 0 };
	}
}

static void take(struct listener *listener, int fd, const struct sockaddr_storage *peer,
		socklen_t peer_len) {
	struct connections *pool = listener->pool;
	struct address address;
	struct source source = { { 0 } };
	if (listener->desk) {
		source = source_of_desk(listener->desk);
	} else if (address_from_sockaddr((const struct sockaddr *)peer, peer_len, &address) == 0) {
		source = source_of(&address);
	}
	int slot = listener->desk ? places_choose_desk(&pool->places, &source)
				  : places_choose(&pool->places, &source);
	if (slot < 0) {
		refuse(pool, fd, "this source has enough");
		return;
	}
	struct connection *connection = &pool->slots[slot];
	if (connection->open) {
		count(pool, PULSE_GATE_OVERDUE);
		connection_close(connection);
	}
	uint16_t generation = connection->generation;
	*connection = (struct connection){
		.pool = pool,
		.class = listener->class,
		.slot = (uint16_t)slot,
		.generation = generation,
		.door = listener->door,
		.desk = listener->desk,
		.open = true,
		.fd = fd,
	};
	places_take(&pool->places, (unsigned)slot, &source);
	if (pool->places.open > pool->peak) {
		pool->peak = pool->places.open;
	}
	if (peer->ss_family == AF_UNIX && !listener->desk) {
		places_know(&pool->places, (unsigned)slot); /* no stranger reaches it */
	}
	learn_addresses(connection, peer, peer_len);
	count(pool, PULSE_GATE_ACCEPTED);
	pulse_set(*pool->pulse, PULSE_GATE_OPEN, pool->places.open);
	if (connection_start(connection) < 0) {
		connection_close(connection);
	}
}

/* Leaves newcomers in the kernel's queue until a place, or a descriptor, is free. */
static void pause_accepting(struct connections *pool, bool descriptors) {
	pool->full = true;
	set_listeners(pool, false);
	if (descriptors) {
		pool->resume_us = clock_now_us() + PAUSE_MS * US_PER_MS;
		connections_arm(pool);
	}
	pool->pauses++;
	uint64_t now = clock_now_us();
	if (now - pool->pause_logged_us > LOG_GAP_US) {
		log_warning("accept-paused", "why=%s open=%u times=%u",
				descriptors ? "no-descriptors" : "no-places", pool->places.open,
				pool->pauses);
		pool->pause_logged_us = now;
		pool->pauses = 0;
	}
}

/* ---- desktops' own doors ---- */

static struct listener *find_desk(const struct connections *pool, uint64_t desk) {
	for (size_t i = 0; i < pool->n_listeners; i++) {
		const struct listener *listener = &pool->listeners[i];
		if (listener->io && listener->desk == desk) {
			return (struct listener *)(uintptr_t)listener;
		}
	}
	return NULL;
}

bool connections_spend(const struct connection *connection, uint32_t cost) {
	struct listener *listener = find_desk(connection->pool, connection->desk);
	return listener && budget_spend(&listener->budget, cost, clock_now_us());
}

/* Its programs wait in the kernel's queue meanwhile, and cost nobody anything. */
static bool must_rest(struct listener *listener) {
	struct connections *pool = listener->pool;
	if (!listener->desk || budget_spend(&listener->budget, BUDGET_ACCEPT, clock_now_us())) {
		return false;
	}
	listener->resume_us = budget_when(&listener->budget, BUDGET_REST);
	if (!pool->desk_resume_us || listener->resume_us < pool->desk_resume_us) {
		pool->desk_resume_us = listener->resume_us;
	}
	sd_event_source_set_enabled(listener->io, SD_EVENT_OFF);
	connections_arm(pool);
	return true;
}

static void resume_desks(struct connections *pool, uint64_t now_us) {
	uint64_t soonest = 0;
	for (size_t i = 0; i < pool->n_listeners; i++) {
		struct listener *listener = &pool->listeners[i];
		if (listener->resume_us && listener->resume_us <= now_us) {
			listener->resume_us = 0;
			if (listener->io && pool->listening && !pool->full) {
				sd_event_source_set_enabled(listener->io, SD_EVENT_ON);
			}
		}
		if (listener->resume_us && (!soonest || listener->resume_us < soonest)) {
			soonest = listener->resume_us;
		}
	}
	pool->desk_resume_us = soonest;
}

static int handle_accept(sd_event_source *source, int fd, uint32_t events, void *user) {
	(void)source;
	(void)events;
	struct listener *listener = (struct listener *)user;
	struct connections *pool = listener->pool;
	for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
		struct source any = { { 0 } };
		if (pool->places.open == PLACES_MAX && places_choose(&pool->places, &any) < 0) {
			pause_accepting(pool, false);
			break;
		}
		if (must_rest(listener)) {
			break;
		}
		struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
		socklen_t len = sizeof(peer);
		int accepted = accept4(
				fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (accepted >= 0) {
			take(listener, accepted, &peer, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			pause_accepting(pool, true);
		}
		if (errno != ECONNABORTED && errno != EINTR) {
			break;
		}
	}
	return 0;
}

static int handle_timer(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct connections *pool = (struct connections *)user;
	uint64_t now = clock_now_us();
	pool->timer_us = 0;
	if (pool->resume_us && pool->resume_us <= now) {
		pool->resume_us = 0;
		connections_resume(pool);
	}
	if (pool->desk_resume_us && pool->desk_resume_us <= now) {
		resume_desks(pool, now);
	}
	struct deadline *due;
	while ((due = deadlines_take_due(pool->deadlines, PHASES, now))) {
		connection_expire(container_of(due, struct connection, deadline));
	}
	connections_arm(pool);
	return 0;
}

struct connection *connections_find(struct connections *pool, uint32_t request) {
	uint32_t slot = request >> 16;
	if (slot >= PLACES_MAX) {
		return NULL;
	}
	struct connection *connection = &pool->slots[slot];
	return connection->open && connection->phase == PHASE_PENDING &&
					       connection->generation == (uint16_t)request
			       ? connection
			       : NULL;
}

int connections_init(struct connections *pool, sd_event *event, struct pulse **pulse, void *user) {
	pool->event = event;
	pool->pulse = pulse;
	pool->user = user;
	pool->timer_us = UINT64_MAX;
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		pool->slots[i] = (struct connection){ .fd = -1 };
	}
	int rc = sd_event_add_time(
			event, &pool->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000, handle_timer, pool);
	if (rc >= 0) {
		rc = sd_event_source_set_priority(pool->timer, CONNECTION_PRIORITY_DEADLINES);
	}
	return rc < 0 ? rc : sd_event_source_set_enabled(pool->timer, SD_EVENT_OFF);
}

static int add(struct connections *pool, int fd, enum ipc_door door, uint64_t desk,
		const struct connection_class *class) {
	OWN(fd_close) int owned = fd;
	size_t place = 0;
	while (place < pool->n_listeners && pool->listeners[place].io) {
		place++;
	}
	if (place == ARRAY_LEN(pool->listeners)) {
		return -ENOSPC;
	}
	int flags = fcntl(owned, F_GETFL);
	if (flags < 0 || fcntl(owned, F_SETFL, flags | O_NONBLOCK) < 0) {
		return -errno;
	}
	struct listener *listener = &pool->listeners[place];
	*listener = (struct listener){
		.pool = pool, .class = class, .fd = -1, .door = door, .desk = desk
	};
	budget_begin(&listener->budget, clock_now_us());
	int rc = sd_event_add_io(
			pool->event, &listener->io, owned, EPOLLIN, handle_accept, listener);
	if (rc < 0) {
		return rc;
	}
	if (door != (enum ipc_door)DOOR_DESK) {
		sd_event_source_set_priority(listener->io, CONNECTION_PRIORITY_KNOWN);
	}
	sd_event_source_set_enabled(listener->io, pool->listening ? SD_EVENT_ON : SD_EVENT_OFF);
	listener->fd = TAKE(owned, -1);
	pool->n_listeners += place == pool->n_listeners;
	return 0;
}

int connections_add(struct connections *pool, int fd, enum ipc_door door,
		const struct connection_class *class) {
	return add(pool, fd, door, 0, class);
}

static void close_listener(struct listener *listener) {
	listener->io = sd_event_source_disable_unref(listener->io);
	listener->resume_us = 0;
	fd_release(&listener->fd);
}

static void close_desk(struct connections *pool, uint64_t desk) {
	for (size_t i = 0; i < pool->n_listeners; i++) {
		if (pool->listeners[i].io && pool->listeners[i].desk == desk) {
			close_listener(&pool->listeners[i]);
		}
	}
}

int connections_add_desk(struct connections *pool, int fd, uint64_t desk, bool launcher,
		const struct connection_class *class) {
	close_desk(pool, desk);
	return add(pool, fd, (enum ipc_door)(launcher ? DOOR_HOME : DOOR_DESK), desk, class);
}

void connections_forget_desks(struct connections *pool) {
	for (size_t i = 0; i < pool->n_listeners; i++) {
		if (pool->listeners[i].io && pool->listeners[i].desk) {
			close_listener(&pool->listeners[i]);
		}
	}
}

void connections_drop_desk(struct connections *pool, uint64_t desk) {
	close_desk(pool, desk);
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		if (pool->slots[i].open && pool->slots[i].desk == desk) {
			connection_close(&pool->slots[i]);
		}
	}
}

void connections_listen(struct connections *pool) {
	pool->listening = true;
	set_listeners(pool, true);
}

void connections_stop(struct connections *pool) {
	pool->listening = false;
	for (size_t i = 0; i < pool->n_listeners; i++) {
		close_listener(&pool->listeners[i]);
	}
	pool->n_listeners = 0;
}

void connections_distrust(struct connections *pool, const uint8_t fingerprint[32]) {
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		struct connection *connection = &pool->slots[i];
		if (connection->open && connection->certified &&
				memcmp(connection->fingerprint, fingerprint, 32) == 0) {
			connection_close(connection);
		}
	}
}

void connections_finish(struct connections *pool) {
	connections_stop(pool);
	for (unsigned i = 0; i < PLACES_MAX; i++) {
		connection_close(&pool->slots[i]);
	}
	pool->timer = sd_event_source_disable_unref(pool->timer);
}
