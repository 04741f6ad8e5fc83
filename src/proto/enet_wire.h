/* SPDX-License-Identifier: MIT */
#ifndef PROTO_ENET_WIRE_H
#define PROTO_ENET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"

/* The bytes of ENet datagrams: a header, then commands one after another. All
 * numbers are big endian (cgutman/enet include/enet/protocol.h). */

enum enet_command_number {
	ENET_ACKNOWLEDGE = 1,
	ENET_CONNECT = 2,
	ENET_VERIFY_CONNECT = 3,
	ENET_DISCONNECT = 4,
	ENET_PING = 5,
	ENET_SEND_RELIABLE = 6,
	ENET_SEND_UNRELIABLE = 7,
	ENET_SEND_FRAGMENT = 8,
	ENET_SEND_UNSEQUENCED = 9,
	ENET_BANDWIDTH_LIMIT = 10,
	ENET_THROTTLE_CONFIGURE = 11,
	ENET_SEND_UNRELIABLE_FRAGMENT = 12,
	ENET_COMMANDS = 13,
};

enum {
	ENET_FLAG_ACKNOWLEDGE = 0x80, /* of a command: answer it */
	ENET_FLAG_UNSEQUENCED = 0x40,
	ENET_NUMBER_MASK = 0x0f,
	ENET_CHANNEL_CONTROL = 0xff, /* of commands that belong to no channel */
	ENET_HEADER_SIZE = 4,        /* with the sent time, else 2 */
	ENET_COMMAND_HEADER_SIZE = 4,
	ENET_FRAGMENT_BODY = 20,
	/* What the engines write into one datagram; a reader takes any number. */
	ENET_DATAGRAM_COMMANDS = 32,
};

struct enet_header {
	uint16_t peer_id;
	uint8_t session;
	bool compressed;
	bool has_sent_time;
	uint16_t sent_time; /* ms, low 16 bits of the sender's clock */
};

struct enet_command {
	uint8_t number;
	bool wants_ack;
	uint8_t channel;
	uint16_t sequence;
	struct reader body; /* the fixed fields after the command header */
	const uint8_t *payload;
	uint16_t payload_len;
};

/* Fixed fields of SEND_FRAGMENT and SEND_UNRELIABLE_FRAGMENT. */
struct enet_fragment {
	uint16_t start, len;
	uint32_t count, number, total, at;
};

/* -EBADMSG when cut short. */
int enet_header_read(struct reader *r, struct enet_header *out) NODISCARD;
void enet_header_write(struct writer *w, const struct enet_header *header);

/* Size of a command's fixed fields after its header; 0 for an unknown number too. */
size_t enet_body_size(uint8_t number);

/* True for the five commands that carry a packet or a piece of one. */
bool enet_carries_data(uint8_t number);

/* The next command; -EBADMSG for an unknown one or one that does not fit. */
int enet_command_read(struct reader *r, struct enet_command *out) NODISCARD;

struct enet_fragment enet_fragment_read(struct reader body);

#endif
