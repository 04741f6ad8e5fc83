/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>

#include "proto/enet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Input: a mode, then what it wants. A datagram that is refused as malformed
 * changes nothing; what is saved loads, and saves to the same bytes; transmitting
 * comes to an end and leaves nothing due. */

enum {
	MODE_RAW,   /* one datagram for a fresh host and a fresh client */
	MODE_STEPS, /* steps on a connection that stands */
	MODE_LOAD,  /* a saved state, and then the steps of a fixed script */
	MODES,
	START_MS = 1000,
	HOST_ID = 0x123,
	CLIENT_ID = 7,
};

struct room {
	uint64_t now_ms;
	struct enet_peer *host, *client; /* owned */
	struct enet_peer *next;          /* owned: spare for loading */
	uint8_t *saved, *again;          /* owned */
};

static size_t save(const struct enet_peer *peer, uint8_t *out) {
	struct writer w = writer_over(out, ENET_SAVE_MAX);
	int rc = enet_peer_save(peer, &w);
	assert(rc == 0);
	return ENET_SAVE_MAX - w.left;
}

static void succeed(struct room *room, struct enet_peer **peer) {
	size_t len = save(*peer, room->saved);
	struct reader r = reader_over(room->saved, len);
	int rc = enet_peer_load(room->next, &r);
	assert(rc == 0 && reader_done(&r));
	assert(save(room->next, room->again) == len);
	assert(memcmp(room->saved, room->again, len) == 0);
	struct enet_peer *old = *peer;
	*peer = room->next;
	room->next = old;
}

static void receive(struct room *room, struct enet_peer *peer, const uint8_t *data, size_t len) {
	uint8_t *exact = malloc(len + !len);
	assert(exact);
	memcpy(exact, data, len);
	size_t before = save(peer, room->saved);
	int rc = enet_peer_receive(peer, exact, len, room->now_ms);
	if (rc < 0) {
		assert(save(peer, room->again) == before);
		assert(memcmp(room->saved, room->again, before) == 0);
	}
	free(exact);
}

static void take_events(struct enet_peer *peer) {
	struct enet_event event;
	while (enet_peer_next_event(peer, &event)) {
		assert(event.kind != ENET_EVENT_PACKET || event.len <= ENET_PACKET_MAX);
		volatile uint8_t sum = 0;
		for (size_t i = 0; i < event.len; i++) {
			sum = (uint8_t)(sum + event.bytes[i]); /* ASan and MSan read along */
		}
	}
}

/* Sends all that is due; to NULL it is lost. */
static void transmit(struct room *room, struct enet_peer *from, struct enet_peer *to) {
	uint8_t buf[ENET_MTU];
	size_t len;
	for (unsigned count = 0; (len = enet_peer_transmit(from, room->now_ms, buf, sizeof(buf)));
			count++) {
		assert(len <= ENET_MTU && count < ENET_OUT_MAX + ENET_ACKS_MAX);
		if (to) {
			int rc = enet_peer_receive(to, buf, len, room->now_ms);
			assert(rc != -EBADMSG); /* what one writes, the other reads */
		}
	}
	assert(enet_peer_next_deadline(from) > room->now_ms);
}

static void connect_both(struct room *room) {
	uint8_t buf[ENET_MTU];
	struct enet_client_config config = {
		.local_id = CLIENT_ID, .channels = 48, .data = 1, .connect_id = 2
	};
	int rc = enet_peer_init_client(room->client, &config, room->now_ms);
	assert(rc == 0);
	size_t len = enet_peer_transmit(room->client, room->now_ms, buf, sizeof(buf));
	rc = enet_peer_accept(room->host, buf, len, HOST_ID, room->now_ms);
	assert(rc == 0);
}

static void raw(struct room *room, const uint8_t *data, size_t size) {
	struct enet_connect connect;
	uint16_t id;
	connect_both(room);
	if (enet_id_peek(data, size, &id) == 0) {
		assert(id <= ENET_ID_NONE);
	}
	if (enet_connect_peek(data, size, &connect) == 0) {
		assert(size == ENET_CONNECT_SIZE);
		int rc = enet_peer_accept(room->next, data, size, HOST_ID, room->now_ms);
		assert(rc == 0);
		transmit(room, room->next, NULL);
	}
	receive(room, room->host, data, size);
	receive(room, room->client, data, size);
	transmit(room, room->host, NULL);
	transmit(room, room->client, NULL);
}

/* A datagram with the right peer id, so that the commands are what is tried. */
static void receive_commands(
		struct room *room, struct enet_peer *peer, uint16_t id, struct reader *r) {
	uint8_t bytes[ENET_DATAGRAM_MAX];
	size_t len = reader_u8(r);
	len = len == 255 ? reader_be16(r) : len;
	len = len < r->left ? len : r->left;
	len = len < sizeof(bytes) - 4 ? len : sizeof(bytes) - 4;
	struct writer w = writer_over(bytes, sizeof(bytes));
	writer_be16(&w, 0x8000 | id);
	writer_be16(&w, (uint16_t)room->now_ms);
	writer_copy(&w, reader_take(r, len), len);
	receive(room, peer, bytes, len + 4);
}

static void step(struct room *room, struct reader *r) {
	static const uint8_t bytes[ENET_PACKET_MAX + 1];
	uint8_t op = reader_u8(r);
	struct enet_peer *peer = op & 0x80 ? room->client : room->host;
	switch (op % 16) {
	case 0:
	case 1:
		receive_commands(room, room->host, HOST_ID, r);
		break;
	case 2:
		receive_commands(room, room->client, CLIENT_ID, r);
		break;
	case 3:
		room->now_ms += reader_be16(r) % 20000;
		break;
	case 4:
		transmit(room, room->host, room->client);
		transmit(room, room->client, room->host);
		break;
	case 5:
		transmit(room, peer, NULL);
		break;
	case 6:
	case 7: {
		uint8_t channel = reader_u8(r);
		size_t len = reader_be16(r) % (sizeof(bytes) + 1);
		int rc = enet_peer_send(peer, channel % 64, channel / 64 % 3, bytes, len);
		assert(rc <= 0);
		break;
	}
	case 8:
		succeed(room, &room->host);
		succeed(room, &room->client);
		break;
	case 9:
		enet_peer_disconnect(peer, reader_u8(r) % 3, 7, room->now_ms);
		break;
	default:
		take_events(peer);
		break;
	}
}

static void steps(struct room *room, struct reader *r) {
	connect_both(room);
	transmit(room, room->host, room->client);
	transmit(room, room->client, room->host);
	assert(room->host->state == ENET_CONNECTED);
	for (unsigned i = 0; i < 300 && r->left; i++) {
		step(room, r);
	}
	room->now_ms += 100;
	transmit(room, room->host, room->client);
	transmit(room, room->client, room->host);
	take_events(room->host);
	take_events(room->client);
}

static void load(struct room *room, struct reader *r) {
	connect_both(room);
	if (enet_peer_load(room->host, r) < 0) {
		return;
	}
	succeed(room, &room->host);
	take_events(room->host);
	for (unsigned i = 0; i < 4; i++) {
		uint8_t buf[ENET_MTU];
		for (unsigned n = 0; n < 500; n++) {
			if (!enet_peer_transmit(room->host, room->now_ms, buf, sizeof(buf))) {
				break;
			}
		}
		room->now_ms += 3000;
		int rc = enet_peer_send(room->host, 0, ENET_RELIABLE, buf, 10);
		assert(rc <= 0);
	}
	enet_peer_disconnect(room->host, ENET_GOODBYE_NOW, 0, room->now_ms);
	take_events(room->host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	struct reader r = reader_over(data, size);
	uint8_t mode = reader_u8(&r) % MODES;
	struct room room = {
		.now_ms = START_MS,
		.host = calloc(1, sizeof(struct enet_peer)),
		.client = calloc(1, sizeof(struct enet_peer)),
		.next = calloc(1, sizeof(struct enet_peer)),
		.saved = malloc(ENET_SAVE_MAX),
		.again = malloc(ENET_SAVE_MAX),
	};
	assert(room.host && room.client && room.next && room.saved && room.again);
	if (mode == MODE_RAW) {
		raw(&room, r.at, r.left);
	} else if (mode == MODE_STEPS) {
		steps(&room, &r);
	} else {
		load(&room, &r);
	}
	free(room.host);
	free(room.client);
	free(room.next);
	free(room.saved);
	free(room.again);
	return 0;
}
