/* SPDX-License-Identifier: MIT */
#ifndef STREAM_FLOWS_H
#define STREAM_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "ipc/message.h"
#include "proto/ping.h"

struct sd_event;
struct sd_event_source;

/* The three UDP sockets of a viewer. The gate connected each to the address that
 * had shown the session's secret, so that whatever arrives here comes from there;
 * an address has to prove itself again only to move a flow. */
enum {
	FLOW_PING_MS = 500,              /* how often clients ping (VideoStream.c) */
	FLOW_MOVE_MS = 3 * FLOW_PING_MS, /* so long without one, a flow may move */
	FLOW_BATCH = 32,                 /* datagrams of one read */
	FLOW_ALIKE_MAX = 16,
	FLOW_DATAGRAM_MAX = 2048,   /* a longer one is cut, and then malformed */
	FLOW_SEND_BUFFER = 1 << 20, /* bytes */
	FLOW_VIDEO_DSCP = 40,       /* CS5, as other hosts mark it */
	FLOW_AUDIO_DSCP = 48,       /* CS6 */
};

struct flow_counters {
	uint64_t datagrams, pings;
	uint64_t refused; /* ECONNREFUSED while reading or sending */
	uint64_t failed;  /* other errors */
	uint64_t strange; /* datagrams that are no ping of this session */
	uint64_t moves, moves_refused;
};

/* Called for each datagram of a control flow. */
typedef void flow_datagram_fn(void *user, const void *datagram, size_t len, uint64_t now_ns);
/* Called when a socket that was full is writable, once for each flow_watch(). */
typedef void flow_writable_fn(void *user);
/* Called after a wake-up's datagrams were all handled. */
typedef void flow_settle_fn(void *user);

struct flow {
	int fd; /* owned; -1 until it came */
	enum ipc_flow kind;
	bool singly;                /* several datagrams in one call were refused here */
	struct sd_event_source *io; /* owned */
	struct address peer;
	uint8_t secret[PING_SECRET_SIZE]; /* of the pings; video and audio */
	uint32_t counter;                 /* of the newest ping */
	uint64_t heard_ns;                /* when it came */
	flow_datagram_fn *datagram;       /* NULL: pings are expected */
	flow_writable_fn *writable;       /* NULL: nobody asks */
	flow_settle_fn *settle;
	void *user; /* borrowed */
	struct flow_counters counters;
};

void flow_init(struct flow *flow, enum ipc_flow kind, void *user);
void flow_finish(struct flow *flow);

static inline bool flow_is_here(const struct flow *flow) {
	return flow->fd >= 0;
}

/* Whether a video or audio flow goes to where this ping came from: the first one
 * does, a later one after three pings were missed, if its counter is newer. */
bool flow_may_move(const struct flow *flow, const struct ping *ping, uint64_t now_ns);

/* Takes fd on success, closing the one before. qos: mark the datagrams. */
int flow_open(struct flow *flow, struct sd_event *event, int fd, const struct address *peer,
		bool qos) NODISCARD;

/* Notes a ping that came, true when it is a newer one of this session. */
bool flow_ping(struct flow *flow, const void *datagram, size_t len, uint64_t now_ns);

/* Calls `writable` when the socket has room again. */
void flow_watch(struct flow *flow, bool on);

/* One datagram, now or never: 0 when it left, -errno when it is lost. Counts. */
int flow_send(struct flow *flow, const void *datagram, size_t len);

/* count datagrams of one size that lie one behind the other, at most
 * FLOW_ALIKE_MAX, in one call where the kernel and the path take that. */
void flow_send_alike(struct flow *flow, const void *datagrams, size_t size, unsigned count);

#endif
