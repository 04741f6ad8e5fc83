/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "gate/flows.h"
#include "proto/enet.h"
#include "proto/ping.h"

enum {
	NOW = 50000,
	PEER = 17,
};

static const uint8_t client_a[32] = { 1 }, client_b[32] = { 2 };

static struct address ip(const char *text) {
	struct address address;
	assert_int_equal(address_parse_ip(text, &address), 0);
	address.port = 40000;
	return address;
}

static struct session *put(struct sessions *sessions, uint64_t id, const uint8_t *client,
		const char *video, uint32_t data, uint16_t peer) {
	struct session_launch launch = { .id = id,
		.client = client,
		.launcher = ip("192.0.2.1"),
		.sealed = true,
		.key = { { (uint8_t)id } },
		.connect_data = data,
		.enet_peer = peer,
		.trace = "t" };
	memcpy(launch.video_ping.bytes, video, 16);
	memset(launch.audio_ping.bytes, (int)id, 16);
	struct session *session;
	assert_int_equal(sessions_put(sessions, &launch, NOW, &session), 0);
	return session;
}

static struct sessions *fresh(void **state) {
	struct sessions *sessions = *state;
	sessions_finish(sessions);
	*sessions = (struct sessions){ .serials = 0 };
	struct address from = ip("192.0.2.1");
	session_prove(put(sessions, 1, client_a, "AAAAAAAAAAAAAAAA", 77, PEER), &from);
	session_prove(put(sessions, 2, client_b, "BBBBBBBBBBBBBBBB", 78, PEER + 1), &from);
	return sessions;
}

/* The refusal, or -1 and the session's id in *out_session. */
static int judge(struct sessions *sessions, enum ipc_flow flow, const char *from, const void *bytes,
		size_t len, uint64_t now, uint64_t *out_session) {
	struct address address = ip(from);
	struct flow_choice choice;
	enum flow_refusal refusal;
	int rc = flows_judge(sessions, flow, &address, bytes, len, now, &choice, &refusal);
	if (rc < 0) {
		return (int)refusal;
	}
	*out_session = choice.session->id;
	return -1;
}

static int judge_ping(struct sessions *sessions, const char *from, const char *secret,
		uint32_t counter, uint64_t now, uint64_t *out_session) {
	uint8_t ping[PING_SIZE];
	ping_encode((const uint8_t *)secret, counter, ping);
	return judge(sessions, FLOW_VIDEO, from, ping, sizeof(ping), now, out_session);
}

static void the_secret_selects_the_session_not_the_address(void **state) {
	struct sessions *sessions = fresh(state);
	uint64_t session = 0;
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "BBBBBBBBBBBBBBBB", 1, NOW, &session),
			-1);
	assert_int_equal(session, 2);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 1, NOW, &session),
			-1);
	assert_int_equal(session, 1);
}

static void each_rule_of_pings_refuses_by_itself(void **state) {
	struct sessions *sessions = fresh(state);
	uint64_t session = 0;
	assert_int_equal(judge(sessions, FLOW_VIDEO, "192.0.2.1", "PING", 4, NOW, &session),
			FLOW_REFUSED_LEGACY);
	assert_int_equal(judge(sessions, FLOW_VIDEO, "192.0.2.1", "PINGPONG", 8, NOW, &session),
			FLOW_REFUSED_NONSENSE);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "CCCCCCCCCCCCCCCC", 1, NOW, &session),
			FLOW_REFUSED_UNKNOWN);
	assert_int_equal(judge_ping(sessions, "192.0.2.9", "AAAAAAAAAAAAAAAA", 1, NOW, &session),
			FLOW_REFUSED_UNPROVEN);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 0, NOW, &session),
			FLOW_REFUSED_OLD);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 3, NOW, &session),
			-1);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 3, NOW + 900,
					 &session),
			FLOW_REFUSED_OLD);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 4, NOW + 499,
					 &session),
			FLOW_REFUSED_TOO_SOON);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 4, NOW + 500,
					 &session),
			-1);
}

static void a_free_slot_has_no_secret(void **state) {
	struct sessions *sessions = fresh(state);
	uint64_t session = 0;
	static const char zeros[16];
	assert_int_equal(judge_ping(sessions, "192.0.2.1", zeros, 1, NOW, &session),
			FLOW_REFUSED_UNKNOWN);
	sessions_state(sessions, client_a, 1, 0, SESSION_GONE);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "AAAAAAAAAAAAAAAA", 1, NOW, &session),
			FLOW_REFUSED_UNKNOWN);
	assert_int_equal(judge_ping(sessions, "192.0.2.1", "BBBBBBBBBBBBBBBB", 1, NOW, &session),
			-1);
}

static size_t connect_bytes(uint32_t data, uint8_t out[52]) {
	uint8_t connect[52] = { 0x8f, 0xff, 0, 0, 0x82, 0xff, 0, 1, 0, 0, 0xff, 0xff, 0, 0, 3, 0x84,
		0, 0, 0x80, 0, 0, 0, 0, 48 };
	connect[43] = 2;
	connect[51] = (uint8_t)data;
	memcpy(out, connect, sizeof(connect));
	return sizeof(connect);
}

static void control_needs_connect_data_from_a_proven_address(void **state) {
	struct sessions *sessions = fresh(state);
	uint64_t session = 0;
	uint8_t bytes[52];
	size_t len = connect_bytes(0, bytes);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", bytes, len, NOW, &session),
			FLOW_REFUSED_NO_DATA);
	len = connect_bytes(99, bytes);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", bytes, len, NOW, &session),
			FLOW_REFUSED_UNKNOWN);
	len = connect_bytes(78, bytes);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.2", bytes, len, NOW, &session),
			FLOW_REFUSED_UNPROVEN);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", bytes, len, NOW, &session), -1);
	assert_int_equal(session, 2);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", bytes, len, NOW + 1, &session),
			FLOW_REFUSED_TOO_SOON);
}

static void a_moved_enet_peer_is_passed_on_slowly(void **state) {
	struct sessions *sessions = fresh(state);
	uint64_t session = 0;
	/* Peer id and sent time, then an acknowledgement. */
	const uint8_t moved[] = { 0x80, PEER, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1 };
	uint8_t bytes[52];
	assert_int_equal(judge(sessions, FLOW_CONTROL, "198.51.100.4", moved, sizeof(moved), NOW,
					 &session),
			FLOW_REFUSED_UNKNOWN); /* it has not even connected */
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", bytes, connect_bytes(77, bytes),
					 NOW, &session),
			-1);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "198.51.100.4", moved, sizeof(moved), NOW,
					 &session),
			-1);
	assert_int_equal(session, 1);
	assert_int_equal(judge(sessions, FLOW_CONTROL, "198.51.100.4", moved, sizeof(moved),
					 NOW + SESSION_ALIEN_GAP_MS - 1, &session),
			FLOW_REFUSED_TOO_SOON);
	/* Strangers do not use up what the proven address may. */
	assert_int_equal(judge(sessions, FLOW_CONTROL, "192.0.2.1", moved, sizeof(moved), NOW + 500,
					 &session),
			-1);
}

/* ---- sessions ---- */

static void the_game_is_per_certificate(void **state) {
	struct sessions *sessions = fresh(state);
	sessions_state(sessions, client_a, 1, 7, SESSION_RUNNING);
	sessions_state(sessions, client_b, 2, 8, SESSION_WATCHED);
	assert_int_equal(sessions_game(sessions, client_a), 7);
	assert_int_equal(sessions_game(sessions, client_b), 8);
	sessions_state(sessions, client_a, 1, 9, SESSION_WATCHED);
	assert_int_equal(sessions_game(sessions, client_a), 9);
	/* One certificate does not end another's session. */
	sessions_state(sessions, client_a, 2, 0, SESSION_GONE);
	assert_int_equal(sessions_game(sessions, client_b), 8);
	sessions_state(sessions, client_a, 0, 0, SESSION_GONE);
	assert_int_equal(sessions_game(sessions, client_a), 0);
}

static void a_key_opens_only_its_own_negotiating_session(void **state) {
	struct sessions *sessions = fresh(state);
	struct secret key = { { 2 } };
	struct rtsp_seal seal;
	struct session *found;
	uint8_t sealed[RTSP_SEAL_MAX];
	static uint8_t text[RTSP_SEAL_PLAIN_MAX];
	size_t len;
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &key), 0);
	int rc = rtsp_seal_close(&seal, "OPTIONS", 7, sealed);
	assert_true(rc > 0);
	assert_int_equal(sessions_unseal(sessions, sealed, (size_t)rc, NOW, text, &len, &found), 0);
	assert_int_equal(found->id, 2);
	assert_int_equal(len, 7);
	assert_int_equal(sessions_unseal(sessions, sealed, (size_t)rc, NOW, text, &len, &found),
			-EPROTO); /* a replay */
	rc = rtsp_seal_close(&seal, "OPTIONS", 7, sealed);
	assert_int_equal(sessions_unseal(sessions, sealed, (size_t)rc,
					 NOW + SESSION_NEGOTIATION_MS + 1, text, &len, &found),
			-ENOENT); /* too late */
	/* Never in the clear when the launch was sealed. */
	struct address from = ip("192.0.2.1");
	assert_null(sessions_plain(sessions, &from, NOW));
	rtsp_seal_finish(&seal);
}

static void more_launches_than_places_are_refused_until_old_ones_are_stale(void **state) {
	struct sessions *sessions = fresh(state);
	struct session *session;
	struct session_launch launch = { .client = client_a, .trace = "", .key = { { 1 } } };
	for (uint64_t id = 3; id <= SESSIONS_MAX; id++) {
		launch.id = id;
		assert_int_equal(sessions_put(sessions, &launch, NOW, &session), 0);
	}
	launch.id = 10000;
	assert_int_equal(sessions_put(sessions, &launch, NOW, &session), -ENOSPC);
	assert_int_equal(
			sessions_put(sessions, &launch, NOW + SESSION_NEGOTIATION_MS + 1, &session),
			0);
}

static int setup(void **state) {
	*state = calloc(1, sizeof(struct sessions));
	return *state ? 0 : -1;
}

static int teardown(void **state) {
	sessions_finish(*state);
	free(*state);
	return 0;
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_secret_selects_the_session_not_the_address),
		UNIT(each_rule_of_pings_refuses_by_itself),
		UNIT(a_free_slot_has_no_secret),
		UNIT(control_needs_connect_data_from_a_proven_address),
		UNIT(a_moved_enet_peer_is_passed_on_slowly),
		UNIT(the_game_is_per_certificate),
		UNIT(a_key_opens_only_its_own_negotiating_session),
		UNIT(more_launches_than_places_are_refused_until_old_ones_are_stale),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
