/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "stream/control.h"

/* A viewer that has the key and misbehaves. The input is a list of steps, each a
 * byte that says what and a length byte with that many bytes: a message to seal,
 * an ENet packet, a datagram as it is, a datagram from elsewhere, or time.
 *
 * Laws: a viewer is lost at most once; no sequence is used that was not
 * reserved; nothing is asked for after the viewer is gone. */
struct scene {
	struct stream_control host;
	struct enet_peer client;
	struct control_sealer sealer;
	uint64_t now_ms, reserved;
	unsigned gone;
};

static void live(void *user) {
	assert(((struct scene *)user)->gone == 0);
}

static void started(void *user) {
	struct scene *scene = (struct scene *)user;
	struct control_message message = { .kind = CONTROL_HDR_MODE };
	live(user);
	(void)!stream_control_say(&scene->host, &message);
}

static void lost(void *user, uint32_t first, uint32_t last) {
	live(user);
	assert(first <= last);
}

static void input(void *user, uint64_t sequence, const uint8_t *data, size_t len) {
	live(user);
	assert(sequence > 0);
	assert(len <= CONTROL_MESSAGE_MAX && (data || len == 0));
}

static void status(void *user, const struct control_fec_status *fec) {
	(void)fec;
	live(user);
}

static void gone(void *user, enum reason reason) {
	(void)reason;
	live(user);
	((struct scene *)user)->gone++;
}

static void reserve(void *user, uint64_t end) {
	((struct scene *)user)->reserved = end;
}

static const struct stream_control_events events = {
	.started = started,
	.key_wanted = live,
	.frames_lost = lost,
	.input = input,
	.fec_status = status,
	.gone = gone,
	.reserve = reserve,
};

static void exchange(struct scene *scene) {
	uint8_t bytes[ENET_MTU];
	size_t len;
	struct enet_event event;
	for (int turn = 0; turn < 4; turn++) {
		while ((len = enet_peer_transmit(
					&scene->client, scene->now_ms, bytes, sizeof(bytes)))) {
			if (scene->host.accepted) {
				stream_control_receive(&scene->host, bytes, len, scene->now_ms);
			} else {
				stream_control_offer(&scene->host, bytes, len, scene->now_ms);
			}
		}
		while ((len = stream_control_transmit(
					&scene->host, scene->now_ms, bytes, sizeof(bytes)))) {
			enet_peer_receive(&scene->client, bytes, len, scene->now_ms);
		}
		while (enet_peer_next_event(&scene->client, &event)) {
		}
		stream_control_tick(&scene->host, scene->now_ms);
	}
	assert(scene->host.sealer.next <= scene->reserved);
}

static void step(struct scene *scene, uint8_t what, const uint8_t *bytes, size_t len) {
	uint8_t sealed[CONTROL_ENVELOPE_MAX];
	size_t sealed_len;
	switch (what % 5) {
	case 0:
		if (control_seal(&scene->sealer, bytes, len, sealed, sizeof(sealed), &sealed_len) ==
				0) {
			(void)!enet_peer_send(&scene->client, what / 5 % 48, ENET_RELIABLE, sealed,
					sealed_len);
		}
		break;
	case 1:
		(void)!enet_peer_send(&scene->client, what / 5 % 48, ENET_UNSEQUENCED, bytes, len);
		break;
	case 2:
		stream_control_receive(&scene->host, bytes, len, scene->now_ms);
		break;
	case 3:
		stream_control_offer(&scene->host, bytes, len, scene->now_ms);
		break;
	default:
		scene->now_ms += len * 20;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static const struct secret key = { .bytes = { 1 } };
	struct scene *scene = (struct scene *)calloc(1, sizeof(*scene));
	struct enet_client_config config = {
		.local_id = 1, .channels = 48, .data = 7, .connect_id = 9
	};
	scene->now_ms = 1000;
	if (stream_control_init(&scene->host, &key, 0, 7, 0x123, &events, scene) < 0 ||
			control_sealer_init(&scene->sealer, &key, CONTROL_CLIENT, 0) < 0 ||
			enet_peer_init_client(&scene->client, &config, scene->now_ms) < 0) {
		abort();
	}
	exchange(scene);
	struct reader r = reader_over(data, size);
	for (unsigned steps = 0; steps < 200 && r.left >= 2; steps++) {
		uint8_t what = reader_u8(&r);
		size_t len = reader_u8(&r);
		len = len < r.left ? len : r.left;
		step(scene, what, reader_take(&r, len), len);
		exchange(scene);
	}
	control_sealer_finish(&scene->sealer);
	stream_control_finish(&scene->host);
	free(scene);
	return 0;
}
