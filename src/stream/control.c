/* SPDX-License-Identifier: MIT */
#include "stream/control.h"

#include <errno.h>
#include <string.h>

int stream_control_init(struct stream_control *control, const struct secret *key,
		uint32_t first_sequence, uint32_t connect_data, uint16_t local_id,
		const struct stream_control_events *events, void *user) {
	memset(control, 0, sizeof(*control));
	control->events = events;
	control->user = user;
	control->connect_data = connect_data;
	control->local_id = local_id;
	int rc = control_sealer_init(&control->sealer, key, CONTROL_HOST, first_sequence);
	if (rc == 0) {
		control->sealer.end = first_sequence;
		rc = control_opener_init(&control->opener, key, CONTROL_CLIENT);
	}
	return rc;
}

int stream_control_go_on(struct stream_control *control, const struct stream_control_past *past,
		uint64_t now_ms) {
	int rc = enet_peer_load(&control->peer, past->enet);
	if (rc < 0) {
		return rc;
	}
	control->accepted = true;
	control->connected = control->peer.state == ENET_CONNECTED && !control->peer.say_connected;
	control->connect_id = control->peer.connect_id;
	control->proven = past->proven;
	control->started = past->started;
	control->opener.window = past->seen;
	control->heard_ms = now_ms;
	return 0;
}

void stream_control_finish(struct stream_control *control) {
	control_sealer_finish(&control->sealer);
	control_opener_finish(&control->opener);
	explicit_bzero(control, sizeof(*control));
}

static void say_gone(struct stream_control *control, enum reason reason) {
	if (!control->gone) {
		control->gone = true;
		control->events->gone(control->user, reason);
	}
}

static void do_started(struct stream_control *control, const struct control_message *message) {
	(void)message;
	if (!control->started) {
		control->started = true;
		control->events->started(control->user);
	}
}

static void do_key(struct stream_control *control, const struct control_message *message) {
	(void)message;
	control->events->key_wanted(control->user);
}

static void do_lost(struct stream_control *control, const struct control_message *message) {
	control->events->frames_lost(
			control->user, message->invalidate.first, message->invalidate.last);
}

static void do_input(struct stream_control *control, const struct control_message *message) {
	control->events->input(control->user, (uint64_t)control->sequence + 1, message->input.data,
			message->input.len);
}

static void do_fec_status(struct stream_control *control, const struct control_message *message) {
	control->events->fec_status(control->user, &message->fec_status);
}

/* What is not here only shows that the client lives, which ENet has noted. */
static void (*const act[])(
		struct stream_control *control, const struct control_message *message) = {
	[CONTROL_START_B] = do_started,
	[CONTROL_REQUEST_IDR] = do_key,
	[CONTROL_INVALIDATE] = do_lost,
	[CONTROL_INPUT] = do_input,
	[CONTROL_FEC_STATUS] = do_fec_status,
};

static void handle_packet(struct stream_control *control, const struct enet_event *event) {
	uint8_t plain[CONTROL_MESSAGE_MAX];
	size_t len = 0;
	uint32_t sequence = 0;
	int rc = control_open(&control->opener, event->bytes, event->len, plain, &len, &sequence);
	if (rc < 0) {
		control->counters.refused++;
		return;
	}
	control->proven = true;
	control->sequence = sequence;
	control->counters.messages++;
	struct control_message message;
	rc = control_message_decode(CONTROL_CLIENT, plain, len, &message);
	if (rc < 0) {
		*(rc == -ENOTSUP ? &control->counters.unknown : &control->counters.malformed) += 1;
	} else if (!control->gone && (size_t)message.kind < ARRAY_LEN(act) && act[message.kind]) {
		act[message.kind](control, &message);
	}
	explicit_bzero(plain, sizeof(plain)); /* somebody's passwords are typed here */
}

static void handle_events(struct stream_control *control) {
	struct enet_event event;
	while (enet_peer_next_event(&control->peer, &event)) {
		if (event.kind == ENET_EVENT_CONNECTED) {
			control->connected = true;
		} else if (event.kind == ENET_EVENT_PACKET) {
			handle_packet(control, &event);
		} else {
			say_gone(control, event.end == ENET_END_TIMEOUT ? REASON_CLIENT_SILENT
									: REASON_CLIENT_LEFT);
		}
	}
}

static bool accept_connect(
		struct stream_control *control, const void *datagram, size_t len, uint64_t now_ms) {
	struct enet_connect connect;
	if (control->proven || enet_connect_peek(datagram, len, &connect) < 0 ||
			connect.data != control->connect_data) {
		return false;
	}
	/* The same CONNECT once more, on its way while the first was answered. */
	if (control->connected && connect.connect_id == control->connect_id) {
		return false;
	}
	if (enet_peer_accept(&control->peer, datagram, len, control->local_id, now_ms) < 0) {
		return false;
	}
	control->connect_id = connect.connect_id;
	control->accepted = true;
	control->connected = false;
	control->heard_ms = now_ms;
	return true;
}

static bool is_genuine(struct stream_control *control, const struct enet_event *event) {
	uint8_t plain[CONTROL_MESSAGE_MAX];
	size_t plain_len;
	uint32_t sequence;
	bool genuine = event->kind == ENET_EVENT_PACKET &&
		       control_open(&control->opener, event->bytes, event->len, plain, &plain_len,
				       &sequence) == 0;
	explicit_bzero(plain, sizeof(plain));
	return genuine;
}

/* True when the trial connection has got a message that is new and genuine. A client that has
 * moved says new things while what it said before is lost: they wait for that, and prove as
 * much as if it were there. */
static bool proves(struct stream_control *control, struct enet_peer *trial) {
	struct control_window window = control->opener.window;
	struct enet_event event;
	bool proven = false;
	while (!proven && enet_peer_next_event(trial, &event)) {
		proven = is_genuine(control, &event);
	}
	unsigned at = 0;
	while (!proven && enet_peer_next_waiting(trial, &control->peer, &at, &event)) {
		proven = is_genuine(control, &event);
	}
	control->opener.window = window;
	return proven;
}

bool stream_control_offer(
		struct stream_control *control, const void *datagram, size_t len, uint64_t now_ms) {
	if (accept_connect(control, datagram, len, now_ms)) {
		return true;
	}
	if (!control->accepted || control->gone) {
		return false;
	}
	struct enet_peer trial = control->peer;
	if (enet_peer_receive(&trial, datagram, len, now_ms) != 0 || !proves(control, &trial)) {
		return false;
	}
	stream_control_receive(control, datagram, len, now_ms);
	return true;
}

void stream_control_receive(
		struct stream_control *control, const void *datagram, size_t len, uint64_t now_ms) {
	if (!control->accepted) {
		return;
	}
	if (enet_peer_receive(&control->peer, datagram, len, now_ms) == 0) {
		control->heard_ms = now_ms;
	}
	handle_events(control);
}

void stream_control_tick(struct stream_control *control, uint64_t now_ms) {
	handle_events(control);
	if (control->accepted && now_ms >= control->heard_ms + STREAM_CONTROL_SILENCE_MS) {
		say_gone(control, REASON_CLIENT_SILENT);
	}
}

size_t stream_control_transmit(
		struct stream_control *control, uint64_t now_ms, void *buf, size_t cap) {
	return control->accepted ? enet_peer_transmit(&control->peer, now_ms, buf, cap) : 0;
}

uint64_t stream_control_deadline_ms(const struct stream_control *control) {
	if (!control->accepted) {
		return UINT64_MAX;
	}
	uint64_t deadline = enet_peer_next_deadline(&control->peer);
	uint64_t silent =
			control->gone ? UINT64_MAX : control->heard_ms + STREAM_CONTROL_SILENCE_MS;
	return deadline < silent ? deadline : silent;
}

int stream_control_say(struct stream_control *control, const struct control_message *message) {
	uint8_t plain[CONTROL_MESSAGE_MAX], sealed[CONTROL_ENVELOPE_MAX];
	size_t len, sealed_len;
	int rc = control_message_encode(message, plain, sizeof(plain), &len);
	if (rc < 0) {
		return rc;
	}
	if (!control->connected) {
		return -EPROTO;
	}
	if (control->sealer.next == control->sealer.end) {
		control->events->reserve(
				control->user, control->sealer.end + STREAM_CONTROL_RESERVE);
		control->sealer.end += STREAM_CONTROL_RESERVE;
	}
	rc = control_seal(&control->sealer, plain, len, sealed, sizeof(sealed), &sealed_len);
	if (rc == 0) {
		rc = enet_peer_send(&control->peer, 0, ENET_RELIABLE, sealed, sealed_len);
	}
	if (rc < 0) {
		control->counters.not_said++;
	}
	return rc;
}

void stream_control_goodbye(struct stream_control *control, uint32_t code, uint64_t now_ms) {
	control->gone = true;
	if (stream_control_is_over(control)) {
		return;
	}
	struct control_message message = { .kind = CONTROL_TERMINATION, .termination = code };
	int rc = stream_control_say(control, &message);
	/* Without a connection, or without room, the goodbye has no words. */
	enet_peer_disconnect(&control->peer, rc == 0 ? ENET_GOODBYE_LATER : ENET_GOODBYE_SOON, 0,
			now_ms);
}

bool stream_control_is_over(const struct stream_control *control) {
	return !control->accepted || control->peer.state == ENET_CLOSED;
}
