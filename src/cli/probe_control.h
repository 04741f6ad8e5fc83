/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_CONTROL_H
#define CLI_PROBE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/own.h"
#include "cli/probe_transcript.h"
#include "proto/control.h"
#include "proto/control_message.h"
#include "proto/enet.h"
#include "proto/input.h"

/* The control stream: ENet on its socket, and the sealed messages in it. The loop calls
 * it with what came and at its deadlines. */
struct probe_control {
	int fd;                              /* owned, -1 for none */
	struct enet_peer *peer;              /* owned */
	struct control_sealer sealer;        /* owned */
	struct control_opener opener;        /* owned */
	struct probe_transcript *transcript; /* borrowed */
	uint64_t connected_ns;               /* 0 before */
	bool ended;                          /* the connection is over */
	enum enet_end end;
	bool terminated; /* the host said why it ends */
	uint32_t termination;
	uint64_t messages, bad; /* opened, and not */
	uint64_t rumbles, hdr_modes, others;
	uint64_t unsent; /* messages that found no room */
};

/* Begins to connect. */
int probe_control_begin(struct probe_control *control, const struct address *address,
		const struct secret *key, uint32_t connect_data,
		struct probe_transcript *transcript, uint64_t now_ns) NODISCARD;
void probe_control_finish(struct probe_control *control);

/* Takes one datagram. */
void probe_control_receive(
		struct probe_control *control, const void *datagram, size_t len, uint64_t now_ns);

/* Sends what is due. */
void probe_control_flush(struct probe_control *control, uint64_t now_ns);

/* When there is something to send; UINT64_MAX for never. */
uint64_t probe_control_deadline_ns(const struct probe_control *control);

/* Start A and start B. */
void probe_control_start(struct probe_control *control);

/* Any message of a client, on the channel that clients use for it; reliable but for
 * the FEC status. */
void probe_control_say(struct probe_control *control, const struct control_message *message);
void probe_control_input(struct probe_control *control, const struct input_event *event);

/* Begins to leave; ended is set when the host knows. */
void probe_control_leave(struct probe_control *control, uint64_t now_ns);

#endif
