/* SPDX-License-Identifier: MIT */
#include "proto/enet_wire.h"

#include "proto/enet.h"

enum {
	FLAG_SENT_TIME = 0x8000,
	FLAG_COMPRESSED = 0x4000,
	SESSION_SHIFT = 12,
	ID_MASK = 0x0fff,
};

struct layout {
	uint8_t known;
	uint8_t size;
	int8_t length_at; /* where the payload's length is, -1 for no payload */
};

/* clang-format off */
static const struct layout layouts[ENET_COMMANDS] = {
	[ENET_ACKNOWLEDGE]              = { 1, 4,  -1 },
	[ENET_CONNECT]                  = { 1, 44, -1 },
	[ENET_VERIFY_CONNECT]           = { 1, 40, -1 },
	[ENET_DISCONNECT]               = { 1, 4,  -1 },
	[ENET_PING]                     = { 1, 0,  -1 },
	[ENET_SEND_RELIABLE]            = { 1, 2,  0 },
	[ENET_SEND_UNRELIABLE]          = { 1, 4,  2 },
	[ENET_SEND_FRAGMENT]            = { 1, ENET_FRAGMENT_BODY, 2 },
	[ENET_SEND_UNSEQUENCED]         = { 1, 4,  2 },
	[ENET_BANDWIDTH_LIMIT]          = { 1, 8,  -1 },
	[ENET_THROTTLE_CONFIGURE]       = { 1, 12, -1 },
	[ENET_SEND_UNRELIABLE_FRAGMENT] = { 1, ENET_FRAGMENT_BODY, 2 },
};
/* clang-format on */

int enet_header_read(struct reader *r, struct enet_header *out) {
	uint16_t word = reader_be16(r);
	struct enet_header header = {
		.peer_id = word & ID_MASK,
		.session = (word >> SESSION_SHIFT) & 3,
		.compressed = word & FLAG_COMPRESSED,
		.has_sent_time = word & FLAG_SENT_TIME,
	};
	header.sent_time = header.has_sent_time ? reader_be16(r) : 0;
	if (r->failed) {
		return -EBADMSG;
	}
	*out = header;
	return 0;
}

void enet_header_write(struct writer *w, const struct enet_header *header) {
	unsigned word = header->peer_id | (unsigned)header->session << SESSION_SHIFT;
	word |= header->has_sent_time ? FLAG_SENT_TIME : 0;
	writer_be16(w, (uint16_t)word);
	if (header->has_sent_time) {
		writer_be16(w, header->sent_time);
	}
}

size_t enet_body_size(uint8_t number) {
	return number < ENET_COMMANDS ? layouts[number].size : 0;
}

bool enet_carries_data(uint8_t number) {
	return number < ENET_COMMANDS && layouts[number].known && layouts[number].length_at >= 0;
}

int enet_command_read(struct reader *r, struct enet_command *out) {
	uint8_t byte = reader_u8(r);
	struct enet_command command = {
		.number = byte & ENET_NUMBER_MASK,
		.wants_ack = byte & ENET_FLAG_ACKNOWLEDGE,
	};
	command.channel = reader_u8(r);
	command.sequence = reader_be16(r);
	if (command.number >= ENET_COMMANDS || !layouts[command.number].known) {
		return -EBADMSG;
	}
	const struct layout *layout = &layouts[command.number];
	const uint8_t *body = reader_take(r, layout->size);
	if (!body) {
		return -EBADMSG;
	}
	command.body = reader_over(body, layout->size);
	if (layout->length_at >= 0) {
		struct reader length = command.body;
		reader_take(&length, (size_t)layout->length_at);
		command.payload_len = reader_be16(&length);
		command.payload = reader_take(r, command.payload_len);
	}
	if (r->failed) {
		return -EBADMSG;
	}
	*out = command;
	return 0;
}

struct enet_fragment enet_fragment_read(struct reader body) {
	struct enet_fragment fragment = { .start = reader_be16(&body) };
	fragment.len = reader_be16(&body);
	fragment.count = reader_be32(&body);
	fragment.number = reader_be32(&body);
	fragment.total = reader_be32(&body);
	fragment.at = reader_be32(&body);
	return fragment;
}

int enet_id_peek(const void *datagram, size_t len, uint16_t *out_id) {
	struct reader r = reader_over(datagram, len);
	struct enet_header header;
	if (enet_header_read(&r, &header) < 0) {
		return -EBADMSG;
	}
	*out_id = header.peer_id;
	return 0;
}

int enet_connect_peek(const void *datagram, size_t len, struct enet_connect *out) {
	struct reader r = reader_over(datagram, len);
	struct enet_header header;
	struct enet_command command;
	if (len != ENET_CONNECT_SIZE || enet_header_read(&r, &header) < 0 ||
			header.peer_id != ENET_ID_NONE || header.compressed ||
			!header.has_sent_time || enet_command_read(&r, &command) < 0 ||
			command.number != ENET_CONNECT || !reader_done(&r)) {
		return -EBADMSG;
	}
	struct reader b = command.body;
	struct enet_connect connect = { .peer_id = reader_be16(&b) };
	connect.incoming_session = reader_u8(&b);
	connect.outgoing_session = reader_u8(&b);
	connect.mtu = reader_be32(&b);
	connect.window = reader_be32(&b);
	connect.channels = reader_be32(&b);
	connect.incoming_bandwidth = reader_be32(&b);
	connect.outgoing_bandwidth = reader_be32(&b);
	connect.throttle_interval = reader_be32(&b);
	connect.throttle_acceleration = reader_be32(&b);
	connect.throttle_deceleration = reader_be32(&b);
	connect.connect_id = reader_be32(&b);
	connect.data = reader_be32(&b);
	if (connect.peer_id >= ENET_ID_NONE || connect.channels < 1 || connect.channels > 255) {
		return -EBADMSG;
	}
	*out = connect;
	return 0;
}
