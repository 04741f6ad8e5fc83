/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "gate/flows.h"
#include "proto/enet.h"
#include "proto/ping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	CONNECT_DATA = 0x01020304,
	ENET_PEER = 0x123,
};

static const struct secret video = { .bytes = "video's 16 bytes" };
static const struct secret audio = { .bytes = "audio's 16 bytes" };

static struct address address_of(uint8_t last) {
	struct address address = { .ip = { [10] = 0xff, [11] = 0xff, 127, 0, 0, last } };
	return address;
}

static struct session *launch(struct sessions *sessions) {
	static const uint8_t client[32] = { 1 };
	struct session_launch launch = {
		.id = 7,
		.client = client,
		.launcher = address_of(1),
		.sealed = true,
		.video_ping = video,
		.audio_ping = audio,
		.connect_data = CONNECT_DATA,
		.enet_peer = ENET_PEER,
		.trace = "t",
	};
	struct session *session;
	int rc = sessions_put(sessions, &launch, 0, &session);
	assert(rc == 0);
	session_prove(session, &launch.launcher);
	return session;
}

/* Why it was right to take this one. */
static void check_taken(enum ipc_flow flow, bool proven, bool opened, const uint8_t *bytes,
		size_t len, uint32_t counter) {
	struct ping ping;
	struct enet_connect connect;
	uint16_t id;
	if (flow != FLOW_CONTROL) {
		const struct secret *secret = flow == FLOW_VIDEO ? &video : &audio;
		assert(proven && ping_decode(bytes, len, &ping) == 0);
		assert(ping.kind == PING_WITH_SECRET && ping.counter > counter);
		assert(memcmp(ping.secret, secret->bytes, PING_SECRET_SIZE) == 0);
	} else if (enet_connect_peek(bytes, len, &connect) == 0) {
		assert(proven && connect.data == CONNECT_DATA);
	} else {
		assert(opened && enet_id_peek(bytes, len, &id) == 0 && id == ENET_PEER);
	}
}

/* The input is a list of {flow, last byte of the address, time, length, datagram}. Law: an
 * address makes a flow with the secret, having proven itself, with a rising counter;
 * whoever is passed on without all that was passed to the stream's judgement, and seldom. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	static struct sessions sessions;
	memset(&sessions, 0, sizeof(sessions));
	struct session *session = launch(&sessions);
	struct reader r = reader_over(data, size);
	uint64_t now_ms = 10000, first_ms = now_ms;
	unsigned aliens = 0;
	while (r.left >= 4) {
		enum ipc_flow flow = (enum ipc_flow)(reader_u8(&r) % FLOWS);
		struct address from = address_of(reader_u8(&r));
		now_ms += reader_u8(&r) * 8u;
		size_t len = reader_u8(&r);
		len = len < r.left ? len : r.left;
		const uint8_t *bytes = reader_take(&r, len);
		bool proven = session_is_proven(session, &from);
		struct session_flow before = session->flows[flow];
		struct flow_choice choice;
		enum flow_refusal refusal = FLOW_REFUSALS;
		int rc = flows_judge(&sessions, flow, &from, bytes, len, now_ms, &choice, &refusal);
		if (rc == 0) {
			assert(choice.session == session);
			check_taken(flow, proven, before.opened, bytes, len, before.counter);
			aliens += !proven;
		} else {
			assert(rc == -EPROTO && refusal < FLOW_REFUSALS);
			assert(memcmp(&before, &session->flows[flow], sizeof(before)) == 0);
		}
	}
	assert(aliens <= 1 + (now_ms - first_ms) / SESSION_ALIEN_GAP_MS);
	sessions_finish(&sessions);
	return 0;
}
