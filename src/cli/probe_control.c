/* SPDX-License-Identifier: MIT */
#include "cli/probe_control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/random.h"
#include "cli/net.h"

enum {
	/* moonlight-common-c Limelight-internal.h:57-66 */
	CHANNELS = 0x30,
	CHANNEL_GENERIC = 0,
	CHANNEL_URGENT = 1,
	CHANNEL_KEYBOARD = 2,
	CHANNEL_MOUSE = 3,
	CHANNEL_PEN = 4,
	CHANNEL_TOUCH = 5,
	CHANNEL_TEXT = 6,
	CHANNEL_PADS = 0x10,
	CHANNEL_SENSORS = 0x20,
};

int probe_control_begin(struct probe_control *control, const struct address *address,
		const struct secret *key, uint32_t connect_data,
		struct probe_transcript *transcript, uint64_t now_ns) {
	*control = (struct probe_control){ .fd = -1, .transcript = transcript };
	control->peer = malloc(sizeof(*control->peer));
	if (!control->peer) {
		return -ENOMEM;
	}
	struct enet_client_config config = {
		.channels = CHANNELS, .data = connect_data, .connect_id = random_u32()
	};
	int rc = enet_peer_init_client(control->peer, &config, now_ns / NS_PER_MS);
	rc = rc < 0 ? rc : control_sealer_init(&control->sealer, key, CONTROL_CLIENT, 0);
	rc = rc < 0 ? rc : control_opener_init(&control->opener, key, CONTROL_HOST);
	return rc < 0 ? rc : net_connect_udp(address, &control->fd);
}

void probe_control_finish(struct probe_control *control) {
	fd_release(&control->fd);
	free(TAKE(control->peer, NULL));
	control_sealer_finish(&control->sealer);
	control_opener_finish(&control->opener);
}

static void handle_message(struct probe_control *control, const struct enet_event *event) {
	uint8_t bytes[CONTROL_MESSAGE_MAX];
	size_t len;
	uint32_t sequence;
	struct control_message message;
	if (control_open(&control->opener, event->bytes, event->len, bytes, &len, &sequence) < 0) {
		control->bad++;
		return;
	}
	control->messages++;
	if (control_message_decode(CONTROL_HOST, bytes, len, &message) < 0) {
		control->bad++;
		return;
	}
	switch (message.kind) {
	case CONTROL_TERMINATION:
		control->terminated = true;
		control->termination = message.termination;
		break;
	case CONTROL_RUMBLE:
		control->rumbles++;
		fprintf(stderr, "rumble pad=%u low=%u high=%u\n", message.rumble.controller,
				message.rumble.low, message.rumble.high);
		break;
	case CONTROL_HDR_MODE:
		control->hdr_modes++;
		break;
	default:
		control->others++;
		break;
	}
}

void probe_control_receive(
		struct probe_control *control, const void *datagram, size_t len, uint64_t now_ns) {
	enet_peer_receive(control->peer, datagram, len, now_ns / NS_PER_MS);
	struct enet_event event;
	while (enet_peer_next_event(control->peer, &event)) {
		switch (event.kind) {
		case ENET_EVENT_CONNECTED:
			control->connected_ns = now_ns;
			break;
		case ENET_EVENT_PACKET:
			handle_message(control, &event);
			break;
		case ENET_EVENT_DISCONNECTED:
			control->ended = true;
			control->end = event.end;
			break;
		}
	}
}

void probe_control_flush(struct probe_control *control, uint64_t now_ns) {
	uint8_t datagram[ENET_DATAGRAM_MAX];
	size_t len;
	while ((len = enet_peer_transmit(
				control->peer, now_ns / NS_PER_MS, datagram, sizeof(datagram)))) {
		probe_transcript_add(control->transcript, 'c', 'C', datagram, len);
		/* A lost one is sent again by ENet. */
		(void)!send(control->fd, datagram, len, MSG_NOSIGNAL);
	}
	/* Timers, too, end a connection. */
	struct enet_event event;
	while (enet_peer_next_event(control->peer, &event)) {
		if (event.kind == ENET_EVENT_DISCONNECTED) {
			control->ended = true;
			control->end = event.end;
		}
	}
}

uint64_t probe_control_deadline_ns(const struct probe_control *control) {
	uint64_t deadline_ms = enet_peer_next_deadline(control->peer);
	return deadline_ms == UINT64_MAX ? UINT64_MAX : deadline_ms * NS_PER_MS;
}

static void send_message(struct probe_control *control, uint8_t channel,
		enum enet_delivery delivery, const struct control_message *message) {
	uint8_t bytes[CONTROL_MESSAGE_MAX], envelope[CONTROL_ENVELOPE_MAX];
	size_t len = 0;
	int rc = control_message_encode(message, bytes, sizeof(bytes), &len);
	rc = rc < 0 ? rc
		    : control_seal(&control->sealer, bytes, len, envelope, sizeof(envelope), &len);
	if (channel >= enet_peer_channels(control->peer)) {
		channel = CHANNEL_GENERIC;
	}
	rc = rc < 0 ? rc : enet_peer_send(control->peer, channel, delivery, envelope, len);
	if (rc < 0) {
		control->unsent++;
	}
}

void probe_control_start(struct probe_control *control) {
	struct control_message message = { .kind = CONTROL_REQUEST_IDR };
	send_message(control, CHANNEL_GENERIC, ENET_RELIABLE, &message);
	message.kind = CONTROL_START_B;
	send_message(control, CHANNEL_GENERIC, ENET_RELIABLE, &message);
}

void probe_control_say(struct probe_control *control, const struct control_message *message) {
	bool urgent = message->kind == CONTROL_REQUEST_IDR || message->kind == CONTROL_INVALIDATE ||
		      message->kind == CONTROL_LTR_ACK;
	bool status = message->kind == CONTROL_FEC_STATUS;
	send_message(control, urgent ? CHANNEL_URGENT : CHANNEL_GENERIC,
			status ? ENET_UNSEQUENCED : ENET_RELIABLE, message);
}

static uint8_t channel_of(const struct input_event *event) {
	switch (event->kind) {
	case INPUT_KEY:
		return CHANNEL_KEYBOARD;
	case INPUT_CODE_POINT:
		return CHANNEL_TEXT;
	case INPUT_TOUCH:
		return CHANNEL_TOUCH;
	case INPUT_PEN:
		return CHANNEL_PEN;
	case INPUT_CONTROLLER:
		return (uint8_t)(CHANNEL_PADS + event->controller.number);
	case INPUT_CONTROLLER_ARRIVAL:
		return (uint8_t)(CHANNEL_PADS + event->arrival.number);
	case INPUT_CONTROLLER_MOTION:
		return (uint8_t)(CHANNEL_SENSORS + event->motion.number);
	default:
		return CHANNEL_MOUSE;
	}
}

void probe_control_input(struct probe_control *control, const struct input_event *event) {
	uint8_t bytes[INPUT_EVENT_MAX];
	size_t len;
	if (input_encode(event, bytes, sizeof(bytes), &len) < 0) {
		control->unsent++;
		return;
	}
	struct control_message message = { .kind = CONTROL_INPUT };
	message.input.data = bytes;
	message.input.len = len;
	send_message(control, channel_of(event), ENET_RELIABLE, &message);
}

void probe_control_leave(struct probe_control *control, uint64_t now_ns) {
	enet_peer_disconnect(control->peer, ENET_GOODBYE_LATER, 0, now_ns / NS_PER_MS);
}
