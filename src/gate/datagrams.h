/* SPDX-License-Identifier: MIT */
#ifndef GATE_DATAGRAMS_H
#define GATE_DATAGRAMS_H

#include <stdint.h>

#include "base/own.h"
#include "gate/flows.h"
#include "ipc/message.h"

/* The three wildcard UDP sockets. What makes a flow gets a socket of its own, bound to the
 * same port and to the local address it came to and connected to its sender, so that from
 * then on the kernel delivers to the stream that gets it. Nothing is ever sent. */

struct gate;
struct datagrams;
struct sd_event_source;

struct datagram_door {
	struct gate *gate; /* borrowed */
	enum ipc_flow flow;
	uint16_t port;
	int fd;                     /* owned */
	struct sd_event_source *io; /* owned */
};

struct datagrams {
	struct datagram_door doors[FLOWS];
	uint64_t refused[FLOW_REFUSALS]; /* since the last log line */
	uint64_t logged_ms;
};

void datagrams_init(struct datagrams *datagrams, struct gate *gate);

/* Takes fd, also on failure: a bound, dual-stack datagram socket. */
int datagrams_add(struct datagrams *datagrams, enum ipc_flow flow, int fd, uint16_t port) NODISCARD;
void datagrams_finish(struct datagrams *datagrams);

#endif
