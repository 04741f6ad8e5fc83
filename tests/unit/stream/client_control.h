/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_STREAM_CLIENT_CONTROL_H
#define TESTS_UNIT_STREAM_CLIENT_CONTROL_H

#include <string.h>

#include "proto/control.h"
#include "proto/control_message.h"
#include "proto/enet.h"

/* A client's side of the control stream, without a socket. */
struct client_control {
	struct enet_peer peer;
	struct control_sealer sealer;
	struct control_opener opener;
	bool connected, disconnected;
	enum enet_end end;
	bool hdr_said;
	uint32_t termination; /* the code of 0x0109, 0 for none */
	unsigned strange;     /* messages that did not open or decode */
};

static inline void client_control_init(struct client_control *client, const struct secret *key,
		uint32_t connect_data, uint64_t now_ms) {
	memset(client, 0, sizeof(*client));
	struct enet_client_config config = {
		.local_id = 7, .channels = 48, .data = connect_data, .connect_id = 0x1234
	};
	assert_int_equal(enet_peer_init_client(&client->peer, &config, now_ms), 0);
	assert_int_equal(control_sealer_init(&client->sealer, key, CONTROL_CLIENT, 0), 0);
	assert_int_equal(control_opener_init(&client->opener, key, CONTROL_HOST), 0);
}

static inline void client_control_finish(struct client_control *client) {
	control_sealer_finish(&client->sealer);
	control_opener_finish(&client->opener);
}

static inline void client_control_packet(
		struct client_control *client, const struct enet_event *event) {
	uint8_t plain[CONTROL_MESSAGE_MAX];
	size_t len;
	uint32_t sequence;
	struct control_message message;
	if (control_open(&client->opener, event->bytes, event->len, plain, &len, &sequence) < 0 ||
			control_message_decode(CONTROL_HOST, plain, len, &message) < 0) {
		client->strange++;
	} else if (message.kind == CONTROL_TERMINATION) {
		client->termination = message.termination;
	} else if (message.kind == CONTROL_HDR_MODE) {
		client->hdr_said = true;
	}
}

static inline void client_control_receive(
		struct client_control *client, const void *datagram, size_t len, uint64_t now_ms) {
	struct enet_event event;
	enet_peer_receive(&client->peer, datagram, len, now_ms);
	while (enet_peer_next_event(&client->peer, &event)) {
		if (event.kind == ENET_EVENT_CONNECTED) {
			client->connected = true;
		} else if (event.kind == ENET_EVENT_PACKET) {
			client_control_packet(client, &event);
		} else {
			client->disconnected = true;
			client->end = event.end;
		}
	}
}

static inline void client_control_raw(
		struct client_control *client, uint8_t channel, const void *bytes, size_t len) {
	assert_int_equal(enet_peer_send(&client->peer, channel, ENET_RELIABLE, bytes, len), 0);
}

static inline size_t client_control_seal(struct client_control *client,
		const struct control_message *message, uint8_t *out, size_t room) {
	uint8_t plain[CONTROL_MESSAGE_MAX];
	size_t len, sealed;
	assert_int_equal(control_message_encode(message, plain, sizeof(plain), &len), 0);
	assert_int_equal(control_seal(&client->sealer, plain, len, out, room, &sealed), 0);
	return sealed;
}

static inline void client_control_say(struct client_control *client, uint8_t channel,
		const struct control_message *message) {
	uint8_t bytes[CONTROL_ENVELOPE_MAX];
	size_t len = client_control_seal(client, message, bytes, sizeof(bytes));
	client_control_raw(client, channel, bytes, len);
}

static inline void client_control_kind(
		struct client_control *client, uint8_t channel, enum control_kind kind) {
	struct control_message message = { .kind = kind };
	client_control_say(client, channel, &message);
}

#endif
