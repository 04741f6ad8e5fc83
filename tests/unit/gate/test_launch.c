/* SPDX-License-Identifier: MIT */
/* From /launch to PLAY, at the Moonlight door as a real process. */
#include "../unit.h"

#include <string.h>

#include "base/hex.h"
#include "ipc/reason.h"
#include "proto/sdp.h"
#include "talk.h"

static void launch_refusals_reach_the_client_in_words(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct tls_client client;
	struct ipc_message asked;
	talk_ask_tls(world, &client, "/launch?" TALK_LAUNCH);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message refusal = { .kind = IPC_LAUNCHED,
		.launched = { .request = asked.launch.request, .reason = REASON_HOST_FULL } };
	rig_send(&world->rig, &refusal);
	talk_read_tls(world, &client);
	assert_has(world->text, "status_code=\"503\"");
	assert_has(world->text, "This host is full. Wait for somebody to leave.");
	world_get_tls(world, &world->client, "/launch?appid=7&rikeyid=1");
	assert_has(world->text, "status_code=\"400\"");
	assert_has(world->text, "rikey");
	/* An answer to a launch whose client has hung up is dropped. */
	talk_ask_tls(world, &client, "/launch?" TALK_LAUNCH);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	tls_client_close(&client);
	world_get_tls(world, &world->client, "/applist");
	struct ipc_message late = talk_granted(&asked);
	rig_send(&world->rig, &late);
	talk_ask_tls(world, &client, "/cancel");
	rig_expect(&world->rig, IPC_CANCEL, &asked);
	struct ipc_message cancelled = { .kind = IPC_CANCELLED,
		.cancelled.request = asked.cancel.request };
	rig_send(&world->rig, &cancelled);
	talk_read_tls(world, &client);
	assert_has(world->text, "<cancel>1</cancel>");
	world_end(world);
}

static void policy_decides_whether_rtsp_is_sealed(void **state) {
	static const struct {
		uint8_t encryption;
		const char *extra, *scheme;
	} cases[] = {
		{ 0, "&corever=1", "<sessionUrl0>rtsp://127.0.0.1:" },
		{ 1, "", "<sessionUrl0>rtsp://127.0.0.1:" },
		{ 1, "&corever=1", "<sessionUrl0>rtspenc://127.0.0.1:" },
		{ 2, "&corever=1", "<sessionUrl0>rtspenc://127.0.0.1:" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *world = world_begin(state, PEER_GATE, cases[i].encryption);
		talk_launch(world, cases[i].extra);
		assert_has(world->text, cases[i].scheme);
		assert_has(world->text, "<gamesession>1</gamesession>");
		world_end(world);
	}
	struct world *world = world_begin(state, PEER_GATE, 2);
	world_get_tls(world, &world->client, "/launch?" TALK_LAUNCH);
	assert_has(world->text, "status_code=\"403\"");
	assert_true(rig_is_quiet(&world->rig, 50));
	world_end(world);
}

static struct sdp_announce usual_announce(void) {
	return (struct sdp_announce){ .codec = SDP_H264,
		.width = 1280,
		.height = 720,
		.fps_x100 = 6000,
		.bitrate_kbps = 10000,
		.packet_size = 1392,
		.slices = 1,
		.colorspace = SDP_BT601,
		.min_fec_packets = 2,
		.fec = true,
		.channels = 2,
		.channel_mask = 3,
		.audio_ms = 5,
		.client_features = SDP_CLIENT_FEC_STATUS | SDP_CLIENT_SESSION_ID,
		.encryption = RTSP_ENCRYPT_CONTROL,
		.control_encrypted = true };
}

static int announce(struct talk *talk, const struct sdp_announce *announce, uint32_t reason) {
	char body[SDP_ANNOUNCE_MAX];
	int len = sdp_announce_write(announce, "127.0.0.1", false, body, sizeof(body));
	assert_true(len > 0);
	int fd = talk_send(talk, RTSP_ANNOUNCE, "streamid=control/13/0",
			(struct span){ body, (size_t)len });
	if (reason != UINT32_MAX) {
		struct ipc_message asked;
		rig_expect(&talk->world->rig, IPC_ANNOUNCE, &asked);
		assert_int_equal(asked.announce.session, 42);
		assert_int_equal(asked.announce.params.width, announce->width);
		assert_int_equal(asked.announce.params.rate_x100, announce->fps_x100);
		assert_int_equal(asked.announce.params.encryption, ENCRYPT_CONTROL);
		struct ipc_message answer = { .kind = IPC_ANNOUNCED,
			.announced = { .request = asked.announce.request, .reason = reason } };
		rig_send(&talk->world->rig, &answer);
	}
	return talk_read(talk, fd);
}

static void sealed_rtsp_goes_from_options_to_play(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	talk_launch(world, "&corever=1");
	struct rtsp_seal seal = talk_seal();
	struct talk talk = { .world = world, .seal = &seal };
	talk_set_up(&talk);
	struct sdp_announce usual = usual_announce();
	assert_int_equal(announce(&talk, &usual, REASON_NONE), 200);
	assert_int_equal(talk_ask(&talk, RTSP_PLAY, "/"), 200);
	struct ipc_message play;
	rig_expect(&world->rig, IPC_PLAY, &play);
	assert_int_equal(play.play.session, 42);
	/* After PLAY the key opens nothing any more. */
	assert_int_equal(talk_ask(&talk, RTSP_OPTIONS, "/"), -EPIPE);
	rtsp_seal_finish(&seal);
	world_end(world);
}

static void a_session_that_a_program_made_is_let_in(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message coming = { .kind = IPC_SESSION_COMING,
		.session_coming = { .session = 43,
				.video_ping = { "0123456789ABCDEF" },
				.audio_ping = { "FEDCBA9876543210" },
				.connect_data = 0xdeadbeef,
				.enet_peer = 17,
				.sealed = 1 } };
	struct ipc_message expected;
	assert_int_equal(hex_decode(TALK_RIKEY, 32, coming.session_coming.key.bytes), 0);
	rig_send(&world->rig, &coming);
	rig_expect(&world->rig, IPC_SESSION_EXPECTED, &expected);
	assert_int_equal(expected.session_coming.session, 43);
	struct rtsp_seal seal = talk_seal();
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(talk_ask(&talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
	rtsp_seal_finish(&seal);
	/* It is not what its client runs, and its end is its own. */
	struct ipc_message state_of = { .kind = IPC_SESSION_STATE,
		.session_state = { .session = 43, .app = 0, .state = SESSION_WATCHED } };
	memcpy(state_of.session_state.client, world->client.fingerprint, 32);
	rig_send(&world->rig, &state_of);
	world_get_tls(world, &world->client, "/serverinfo");
	assert_has(world->text, "<currentgame>0</currentgame>");
	world_end(world);
}

static void announce_is_refused_for_what_is_not_offered(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	talk_launch(world, "&corever=1");
	struct rtsp_seal seal = talk_seal();
	struct talk talk = { .world = world, .seal = &seal };
	talk_set_up(&talk);
	struct sdp_announce wrong = usual_announce();
	wrong.codec = SDP_AV1;
	assert_int_equal(announce(&talk, &wrong, UINT32_MAX), 400);
	wrong = usual_announce();
	wrong.width = 7680;
	assert_int_equal(announce(&talk, &wrong, UINT32_MAX), 400);
	wrong = usual_announce();
	wrong.encryption = 0;
	wrong.control_encrypted = false;
	assert_int_equal(announce(&talk, &wrong, UINT32_MAX), 403);
	wrong = usual_announce();
	assert_int_equal(announce(&talk, &wrong, REASON_NO_ENCODER), 503);
	assert_int_equal(announce(&talk, &wrong, REASON_NONE), 200);
	rtsp_seal_finish(&seal);
	world_end(world);
}

static void rtsp_without_the_sessions_secret_is_refused(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	talk_launch(world, "&corever=1");
	/* In the clear, though the launch was sealed. */
	struct talk plain = { .world = world };
	assert_int_equal(talk_ask(&plain, RTSP_OPTIONS, "rtsp://127.0.0.1"), 403);
	struct secret other = { { 1, 2, 3 } };
	struct rtsp_seal seal;
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &other), 0);
	struct talk sealed = { .world = world, .seal = &seal };
	assert_int_equal(talk_ask(&sealed, RTSP_OPTIONS, "rtsp://127.0.0.1"), -EPIPE);
	rtsp_seal_finish(&seal);
	world_end(world);
}

static void plain_rtsp_finds_its_session_by_address(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 0);
	talk_launch(world, "");
	struct talk talk = { .world = world };
	talk_set_up(&talk);
	struct sdp_announce usual = usual_announce();
	assert_int_equal(announce(&talk, &usual, REASON_NONE), 200);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(launch_refusals_reach_the_client_in_words),
		UNIT(policy_decides_whether_rtsp_is_sealed),
		UNIT(sealed_rtsp_goes_from_options_to_play),
		UNIT(a_session_that_a_program_made_is_let_in),
		UNIT(announce_is_refused_for_what_is_not_offered),
		UNIT(rtsp_without_the_sessions_secret_is_refused),
		UNIT(plain_rtsp_finds_its_session_by_address),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
