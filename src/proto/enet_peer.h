/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ENET_PEER_H
#define PROTO_ENET_PEER_H

#include "proto/enet.h"
#include "proto/enet_wire.h"

/* What the engine's files share; nobody else includes this. */

/* enet.c */

/* Ends the connection: forgets what was to be sent and what waits for an
 * earlier packet; packets ready for delivery stay. */
void enet_close(struct enet_peer *peer, enum enet_end end, uint32_t data);
void enet_established(struct enet_peer *peer, uint64_t now_ms);
/* in[i], for the caller. */
struct enet_event enet_packet_event(const struct enet_peer *peer, unsigned i);
/* DRAINING and nothing left to send: says goodbye. */
void enet_drain(struct enet_peer *peer);

/* enet_pace.c */

enum {
	ENET_THROTTLE_FULL = 32,
};

void enet_pace_init(struct enet_pace *pace);
void enet_pace_configure(struct enet_pace *pace, uint32_t interval_ms, uint32_t acceleration,
		uint32_t deceleration);
void enet_pace_sample(struct enet_pace *pace, uint32_t rtt_ms, uint64_t now_ms);
/* Whether the next unreliable packet is sent or dropped. */
bool enet_pace_passes(struct enet_pace *pace);
uint16_t enet_pace_rto(const struct enet_pace *pace, unsigned attempts);
/* Bytes that may be in flight to a peer that granted window. */
uint32_t enet_window_for(uint32_t bandwidth);

/* enet_out.c */

/* Queues a command outside the channels; there is always room for it. */
void enet_out_control(struct enet_peer *peer, uint8_t command, const void *body, size_t len);
void enet_out_clear(struct enet_peer *peer);
/* Forgets the command this acknowledges. Returns its number, 0 for none. */
uint8_t enet_out_acknowledged(struct enet_peer *peer, uint8_t channel, uint16_t sequence);
/* Bytes of a command on the wire. */
size_t enet_out_size(const struct enet_outgoing *out);

/* enet_in.c: 0 when the packet is taken or had been taken before, -EAGAIN when
 * there is no room for it now, -EPROTO when it makes no sense. */

int enet_in_reliable(struct enet_peer *peer, const struct enet_command *command);
int enet_in_unreliable(struct enet_peer *peer, const struct enet_command *command);
int enet_in_unsequenced(struct enet_peer *peer, const struct enet_command *command);
int enet_in_fragment(struct enet_peer *peer, const struct enet_command *command);
int enet_in_unreliable_fragment(struct enet_peer *peer, const struct enet_command *command);
/* Forgets in[i]. */
void enet_in_remove(struct enet_peer *peer, unsigned i);

#endif
