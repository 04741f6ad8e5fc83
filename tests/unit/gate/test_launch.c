/* SPDX-License-Identifier: MIT */
/* From /launch to the first datagrams, at the Moonlight door as a real process. */
#include "../unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/text.h"
#include "gate/sessions.h"
#include "ipc/reason.h"
#include "proto/enet.h"
#include "proto/ping.h"
#include "proto/rtsp.h"
#include "proto/rtsp_seal.h"
#include "proto/sdp.h"
#include "rig.h"

#define RIKEY "000102030405060708090A0B0C0D0E0F"
#define LAUNCH "uniqueid=0123456789ABCDEF&appid=7&mode=1280x720x60&rikey=" RIKEY "&rikeyid=-5"

/* Asks over TLS and leaves the answer to be read. */
static void ask_tls(struct world *world, struct tls_client *client, const char *target) {
	char request[2048];
	tls_client_open(client, world->rig.ports[DOOR_HTTPS], &world->client);
	text_format(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
	rig_write(client->fd, client->ssl, request);
}

static void read_tls(struct world *world, struct tls_client *client) {
	rig_read_answer(client->fd, client->ssl, world->text, sizeof(world->text));
	tls_client_close(client);
}

static struct ipc_message granted(const struct ipc_message *launch) {
	struct ipc_message message = { .kind = IPC_LAUNCHED,
		.launched = { .request = launch->launch.request,
				.session = 42,
				.video_ping = { "0123456789ABCDEF" },
				.audio_ping = { "FEDCBA9876543210" },
				.connect_data = 0xdeadbeef,
				.enet_peer = 17 } };
	return message;
}

static void launch(struct world *world, const char *extra) {
	struct tls_client client;
	struct ipc_message asked;
	char target[600];
	text_format(target, sizeof(target), "/launch?" LAUNCH "%s", extra);
	ask_tls(world, &client, target);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	assert_int_equal(asked.launch.app, 7);
	assert_int_equal(asked.launch.width, 1280);
	assert_int_equal(asked.launch.rate_x100, 6000);
	assert_int_equal(asked.launch.key_id, -5);
	assert_int_equal(asked.launch.key.bytes[15], 0x0f);
	assert_memory_equal(asked.launch.client, world->client.fingerprint, 32);
	assert_string_equal(asked.launch.client_name, "Anna's tablet");
	assert_int_equal(strlen(asked.launch.trace), 16);
	struct ipc_message answer = granted(&asked);
	rig_send(&world->rig, &answer);
	read_tls(world, &client);
}

static void launch_refusals_reach_the_client_in_words(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct tls_client client;
	struct ipc_message asked;
	ask_tls(world, &client, "/launch?" LAUNCH);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message refusal = { .kind = IPC_LAUNCHED,
		.launched = { .request = asked.launch.request, .reason = REASON_HOST_FULL } };
	rig_send(&world->rig, &refusal);
	read_tls(world, &client);
	assert_has(world->text, "status_code=\"503\"");
	assert_has(world->text, "This host is full. Wait for somebody to leave.");
	world_get_tls(world, &world->client, "/launch?appid=7&rikeyid=1");
	assert_has(world->text, "status_code=\"400\"");
	assert_has(world->text, "rikey");
	/* An answer to a launch whose client has hung up is dropped. */
	ask_tls(world, &client, "/launch?" LAUNCH);
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	tls_client_close(&client);
	world_get_tls(world, &world->client, "/applist");
	struct ipc_message late = granted(&asked);
	rig_send(&world->rig, &late);
	ask_tls(world, &client, "/cancel");
	rig_expect(&world->rig, IPC_CANCEL, &asked);
	struct ipc_message cancelled = { .kind = IPC_CANCELLED,
		.cancelled.request = asked.cancel.request };
	rig_send(&world->rig, &cancelled);
	read_tls(world, &client);
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
		launch(world, cases[i].extra);
		assert_has(world->text, cases[i].scheme);
		assert_has(world->text, "<gamesession>1</gamesession>");
		world_end(world);
	}
	struct world *world = world_begin(state, PEER_GATE, 2);
	world_get_tls(world, &world->client, "/launch?" LAUNCH);
	assert_has(world->text, "status_code=\"403\"");
	assert_true(rig_is_quiet(&world->rig, 50));
	world_end(world);
}

/* ---- RTSP and datagrams ---- */

struct talk {
	struct world *world;
	const char *source;     /* NULL: 127.0.0.1 */
	struct rtsp_seal *seal; /* NULL: in the clear */
	uint32_t cseq;
	char session[64];
	char text[8192]; /* of the answer */
	struct rtsp_response response;
};

static int send_rtsp(
		struct talk *talk, enum rtsp_method method, const char *target, struct span body) {
	struct rtsp_question question = { .method = method,
		.target = target,
		.cseq = ++talk->cseq,
		.host = "127.0.0.1",
		.body = body,
		.session = talk->session[0] ? talk->session : NULL };
	char request[8192];
	uint8_t sealed[8192 + RTSP_SEAL_HEADER];
	int len = rtsp_request_write(&question, request, sizeof(request));
	assert_true(len > 0);
	int fd = rig_connect_from(talk->world->rig.ports[DOOR_RTSP],
			talk->source ? talk->source : "127.0.0.1");
	const void *from = request;
	if (talk->seal) {
		len = rtsp_seal_close(talk->seal, request, (size_t)len, sealed);
		from = sealed;
	}
	/* Clients send in pieces. */
	for (int at = 0; at < len; at += 500) {
		int piece = len - at < 500 ? len - at : 500;
		assert_int_equal(send(fd, (const char *)from + at, (size_t)piece, 0), piece);
	}
	return fd;
}

static int read_rtsp(struct talk *talk, int fd) {
	uint8_t raw[8192];
	size_t len = 0;
	ssize_t n;
	while ((n = recv(fd, raw + len, sizeof(raw) - len, 0)) > 0) {
		len += (size_t)n;
	}
	close(fd);
	assert_int_equal(n, 0); /* until the host's end, as the client reads */
	if (len == 0) {
		return -EPIPE;
	}
	if (talk->seal) {
		int plain = rtsp_seal_open(talk->seal, raw, len, talk->text);
		assert_true(plain > 0);
		len = (size_t)plain;
	} else {
		memcpy(talk->text, raw, len);
	}
	assert_int_equal(rtsp_response_parse(talk->text, len, &talk->response), 0);
	assert_int_equal(talk->response.cseq, talk->cseq);
	return talk->response.status;
}

static int ask_rtsp(struct talk *talk, enum rtsp_method method, const char *target) {
	return read_rtsp(talk, send_rtsp(talk, method, target, (struct span){ NULL, 0 }));
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
	int fd = send_rtsp(talk, RTSP_ANNOUNCE, "streamid=control/13/0",
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
	return read_rtsp(talk, fd);
}

static void setup_all(struct talk *talk) {
	const struct rig *rig = &talk->world->rig;
	assert_int_equal(ask_rtsp(talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
	assert_int_equal(ask_rtsp(talk, RTSP_DESCRIBE, "rtsp://127.0.0.1"), 200);
	struct rtsp_describe described;
	assert_int_equal(rtsp_describe_parse(talk->response.body, &described), 0);
	assert_true(described.hevc);
	assert_false(described.av1);
	assert_true(described.rfi);
	assert_int_equal(described.features, 0);
	assert_int_equal(described.encryption_supported, 7);
	assert_int_equal(described.encryption_requested, 1);
	assert_int_equal(ask_rtsp(talk, RTSP_SETUP, "streamid=audio/0/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_AUDIO]);
	assert_true(span_is(talk->response.ping_payload, "FEDCBA9876543210"));
	assert_true(talk->response.session.len > 0);
	memcpy(talk->session, talk->response.session.at, talk->response.session.len);
	assert_int_equal(ask_rtsp(talk, RTSP_SETUP, "streamid=video/0/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_VIDEO]);
	assert_true(span_is(talk->response.ping_payload, "0123456789ABCDEF"));
	assert_int_equal(ask_rtsp(talk, RTSP_SETUP, "streamid=control/13/0"), 200);
	assert_int_equal(talk->response.server_port, rig->ports[DOOR_CONTROL]);
	assert_int_equal(talk->response.connect_data, 0xdeadbeef);
}

static struct rtsp_seal client_seal(void) {
	struct secret key;
	struct rtsp_seal seal;
	assert_int_equal(hex_decode(RIKEY, 32, key.bytes), 0);
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &key), 0);
	return seal;
}

static void sealed_rtsp_goes_from_options_to_play(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	launch(world, "&corever=1");
	struct rtsp_seal seal = client_seal();
	struct talk talk = { .world = world, .seal = &seal };
	setup_all(&talk);
	struct sdp_announce usual = usual_announce();
	assert_int_equal(announce(&talk, &usual, REASON_NONE), 200);
	assert_int_equal(ask_rtsp(&talk, RTSP_PLAY, "/"), 200);
	struct ipc_message play;
	rig_expect(&world->rig, IPC_PLAY, &play);
	assert_int_equal(play.play.session, 42);
	/* After PLAY the key opens nothing any more. */
	assert_int_equal(ask_rtsp(&talk, RTSP_OPTIONS, "/"), -EPIPE);
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
	assert_int_equal(hex_decode(RIKEY, 32, coming.session_coming.key.bytes), 0);
	rig_send(&world->rig, &coming);
	rig_expect(&world->rig, IPC_SESSION_EXPECTED, &expected);
	assert_int_equal(expected.session_coming.session, 43);
	struct rtsp_seal seal = client_seal();
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(ask_rtsp(&talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
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
	launch(world, "&corever=1");
	struct rtsp_seal seal = client_seal();
	struct talk talk = { .world = world, .seal = &seal };
	setup_all(&talk);
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
	launch(world, "&corever=1");
	/* In the clear, though the launch was sealed. */
	struct talk plain = { .world = world };
	assert_int_equal(ask_rtsp(&plain, RTSP_OPTIONS, "rtsp://127.0.0.1"), 403);
	struct secret other = { { 1, 2, 3 } };
	struct rtsp_seal seal;
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &other), 0);
	struct talk sealed = { .world = world, .seal = &seal };
	assert_int_equal(ask_rtsp(&sealed, RTSP_OPTIONS, "rtsp://127.0.0.1"), -EPIPE);
	rtsp_seal_finish(&seal);
	world_end(world);
}

static void plain_rtsp_finds_its_session_by_address(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 0);
	launch(world, "");
	struct talk talk = { .world = world };
	setup_all(&talk);
	struct sdp_announce usual = usual_announce();
	assert_int_equal(announce(&talk, &usual, REASON_NONE), 200);
	world_end(world);
}

static int udp_client(const char *source) {
	struct address address;
	struct sockaddr_in6 sa;
	assert_int_equal(address_parse_ip(source, &address), 0);
	address_to_sockaddr(&address, &sa);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static struct address address_of(int fd) {
	struct sockaddr_in6 sa;
	struct address address;
	socklen_t len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(address_from_sockaddr((struct sockaddr *)&sa, len, &address), 0);
	return address;
}

/* To the host's address of the client's own family. */
static void send_udp(int fd, uint16_t port, const void *bytes, size_t len) {
	struct address own = address_of(fd), host;
	struct sockaddr_in6 sa;
	assert_int_equal(address_parse_ip(address_is_v4(&own) ? "127.0.0.1" : "::1", &host), 0);
	host.port = port;
	address_to_sockaddr(&host, &sa);
	assert_int_equal(sendto(fd, bytes, len, 0, (struct sockaddr *)&sa, sizeof(sa)),
			(ssize_t)len);
}

static void send_ping(struct world *world, int fd, enum ipc_door door, uint32_t counter) {
	uint8_t ping[PING_SIZE];
	const char *secret = door == DOOR_VIDEO ? "0123456789ABCDEF" : "FEDCBA9876543210";
	ping_encode((const uint8_t *)secret, counter, ping);
	send_udp(fd, world->rig.ports[door], ping, sizeof(ping));
}

/* A CONNECT as the wire has it (moonlight's ENet, protocol.h): 4 bytes of header with the
 * sent time, then the command; the data is its last word. */
static void send_connect(struct world *world, int fd, uint32_t data) {
	uint8_t connect[52] = { 0x8f, 0xff, 0, 0, 0x82, 0xff, 0, 1, 0, 0, 0xff, 0xff, 0, 0, 3, 0x84,
		0, 0, 0x80, 0, 0, 0, 0, 48 };
	memcpy(connect + 36 + 0, "\0\0\x13\x88", 4); /* throttle interval */
	memcpy(connect + 40, "\0\0\0\2", 4);
	memcpy(connect + 44, "\1\2\3\4", 4);
	uint8_t word[4] = { (uint8_t)(data >> 24), (uint8_t)(data >> 16), (uint8_t)(data >> 8),
		(uint8_t)data };
	memcpy(connect + 48, word, 4);
	struct enet_connect peeked;
	assert_int_equal(enet_connect_peek(connect, sizeof(connect), &peeked), 0);
	assert_int_equal(peeked.data, data);
	send_udp(fd, world->rig.ports[DOOR_CONTROL], connect, sizeof(connect));
}

static int expect_flow(struct world *world, enum ipc_flow flow, int client) {
	struct ipc_message message;
	int fd;
	rig_expect_fd(&world->rig, IPC_FLOW, &message, &fd);
	assert_int_equal(message.flow.session, 42);
	assert_int_equal(message.flow.flow, flow);
	struct address from = address_of(client);
	assert_true(address_same(&message.flow.peer, &from));
	/* From here on the kernel brings the client's datagrams to this socket. */
	char byte;
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	send_udp(client,
			world->rig.ports[flow == FLOW_VIDEO   ? DOOR_VIDEO
					 : flow == FLOW_AUDIO ? DOOR_AUDIO
							      : DOOR_CONTROL],
			"x", 1);
	assert_int_equal(poll(&wait, 1, RIG_WAIT_MS), 1);
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	/* And what the stream sends reaches the client. */
	assert_int_equal(send(fd, "y", 1, 0), 1);
	wait.fd = client;
	assert_int_equal(poll(&wait, 1, RIG_WAIT_MS), 1);
	assert_int_equal(recv(client, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	return fd;
}

static struct world *negotiated(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	launch(world, "&corever=1");
	struct rtsp_seal seal = client_seal();
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(ask_rtsp(&talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
	rtsp_seal_finish(&seal);
	return world;
}

static void first_datagrams_make_connected_sockets(void **state) {
	struct world *world = negotiated(state);
	int video = udp_client("127.0.0.1"), audio = udp_client("127.0.0.1");
	int control = udp_client("127.0.0.1");
	send_ping(world, audio, DOOR_AUDIO, 1);
	int audio_flow = expect_flow(world, FLOW_AUDIO, audio);
	send_ping(world, video, DOOR_VIDEO, 1);
	int video_flow = expect_flow(world, FLOW_VIDEO, video);
	send_connect(world, control, 0xdeadbeef);
	int control_flow = expect_flow(world, FLOW_CONTROL, control);
	/* Nobody can bind the ports beside us, whatever they set. */
	for (unsigned i = 0; i < 2; i++) {
		int thief = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int on = 1;
		setsockopt(thief, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		struct sockaddr_in sa = { .sin_family = AF_INET,
			.sin_port = htons(world->rig.ports[DOOR_VIDEO]),
			.sin_addr.s_addr = i ? htonl(INADDR_LOOPBACK) : INADDR_ANY };
		assert_int_equal(bind(thief, (struct sockaddr *)&sa, sizeof(sa)), -1);
		assert_int_equal(errno, EADDRINUSE);
		close(thief);
	}
	close(audio_flow);
	close(video_flow);
	close(control_flow);
	close(video);
	close(audio);
	close(control);
	world_end(world);
}

static void datagrams_that_prove_nothing_make_no_flow_and_get_no_answer(void **state) {
	struct world *world = negotiated(state);
	int client = udp_client("127.0.0.1"), elsewhere = udp_client("127.0.0.2");
	size_t fds = rig_count_fds(&world->rig);
	send_udp(client, world->rig.ports[DOOR_VIDEO], "PING", 4);
	send_connect(world, client, 0);
	send_connect(world, client, 0x12345678);
	send_connect(world, elsewhere, 0xdeadbeef); /* an IP that RTSP did not come from */
	send_ping(world, elsewhere, DOOR_VIDEO, 1);
	uint8_t ping[PING_SIZE];
	ping_encode((const uint8_t *)"0123456789ABCDEX", 1, ping);
	send_udp(client, world->rig.ports[DOOR_VIDEO], ping, sizeof(ping));
	send_udp(client, world->rig.ports[DOOR_AUDIO], ping, sizeof(ping));
	ping_encode((const uint8_t *)"0123456789ABCDEF", 1, ping); /* video's, on audio's port */
	send_udp(client, world->rig.ports[DOOR_AUDIO], ping, sizeof(ping));
	assert_true(rig_is_quiet(&world->rig, 100));
	/* A flow that is there; its counter does not go back, nor do new ones come fast. */
	uint64_t begun = clock_now_ms();
	send_ping(world, client, DOOR_VIDEO, 5);
	int flow = expect_flow(world, FLOW_VIDEO, client);
	int moved = udp_client("127.0.0.1");
	send_ping(world, moved, DOOR_VIDEO, 5);
	send_ping(world, moved, DOOR_VIDEO, 4);
	uint32_t counter = 6;
	do {
		send_ping(world, moved, DOOR_VIDEO, counter++);
	} while (rig_is_quiet(&world->rig, 50));
	assert_true(clock_now_ms() - begun >= SESSION_FLOW_GAP_MS);
	int second = expect_flow(world, FLOW_VIDEO, moved);
	close(second);
	close(flow);
	struct pollfd silent[] = { { .fd = client, .events = POLLIN },
		{ .fd = elsewhere, .events = POLLIN } };
	assert_int_equal(poll(silent, 2, 0), 0);
	rig_await_fds(&world->rig, fds);
	close(client);
	close(elsewhere);
	close(moved);
	world_end(world);
}

static void ipv6_clients_are_served_at_their_address(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct tls_client client;
	struct ipc_message asked;
	tls_client_open_from(&client, world->rig.ports[DOOR_HTTPS], &world->client, "::1");
	rig_write(client.fd, client.ssl,
			"GET /launch?" LAUNCH "&corever=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message answer = granted(&asked);
	rig_send(&world->rig, &answer);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	assert_has(world->text, "<sessionUrl0>rtspenc://[::1]:");
	tls_client_close(&client);
	struct rtsp_seal seal = client_seal();
	struct talk talk = { .world = world, .seal = &seal, .source = "::1" };
	setup_all(&talk);
	rtsp_seal_finish(&seal);
	int video = udp_client("::1"), other = udp_client("127.0.0.1");
	send_ping(world, other, DOOR_VIDEO, 1); /* that address has proven nothing */
	assert_true(rig_is_quiet(&world->rig, 50));
	send_ping(world, video, DOOR_VIDEO, 1);
	close(expect_flow(world, FLOW_VIDEO, video));
	/* Until the stream has decrypted something from there. */
	struct ipc_message proven = { .kind = IPC_FLOW_PROVEN,
		.flow_proven.session = answer.launched.session };
	assert_int_equal(address_parse_ip("127.0.0.1", &proven.flow_proven.address), 0);
	rig_send(&world->rig, &proven);
	uint32_t counter = 2;
	do {
		send_ping(world, other, DOOR_VIDEO, counter++);
		assert_true(counter < 100);
	} while (rig_is_quiet(&world->rig, 50));
	close(expect_flow(world, FLOW_VIDEO, other));
	close(video);
	close(other);
	world_end(world);
}

/* Two viewers behind one router, and two flows to one local address. */
static void viewers_at_one_address_get_flows_of_their_own(void **state) {
	struct world *world = negotiated(state);
	int video = udp_client("127.0.0.1");
	send_ping(world, video, DOOR_VIDEO, 1);
	int first = expect_flow(world, FLOW_VIDEO, video);
	struct tls_client client;
	struct ipc_message asked;
	ask_tls(world, &client,
			"/launch?appid=7&rikey=FF0102030405060708090A0B0C0D0E0F&rikeyid=1&corever="
			"1");
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message answer = granted(&asked);
	answer.launched.session = 43;
	memcpy(answer.launched.video_ping.bytes, "1111222233334444", 16);
	rig_send(&world->rig, &answer);
	read_tls(world, &client);
	struct secret key;
	struct rtsp_seal seal;
	assert_int_equal(hex_decode("FF0102030405060708090A0B0C0D0E0F", 32, key.bytes), 0);
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &key), 0);
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(ask_rtsp(&talk, RTSP_OPTIONS, "/"), 200);
	rtsp_seal_finish(&seal);
	uint8_t ping[PING_SIZE];
	int other = udp_client("127.0.0.1");
	ping_encode((const uint8_t *)"1111222233334444", 1, ping);
	send_udp(other, world->rig.ports[DOOR_VIDEO], ping, sizeof(ping));
	struct ipc_message message;
	int second;
	rig_expect_fd(&world->rig, IPC_FLOW, &message, &second);
	assert_int_equal(message.flow.session, 43);
	/* Each gets its own client's datagrams and no others. */
	char byte;
	struct pollfd wait[] = { { .fd = first, .events = POLLIN },
		{ .fd = second, .events = POLLIN } };
	send_udp(other, world->rig.ports[DOOR_VIDEO], "z", 1);
	assert_int_equal(poll(wait, 2, RIG_WAIT_MS), 1);
	assert_int_equal(recv(second, &byte, 1, 0), 1);
	assert_int_equal(byte, 'z');
	close(first);
	close(second);
	close(video);
	close(other);
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
		UNIT(first_datagrams_make_connected_sockets),
		UNIT(datagrams_that_prove_nothing_make_no_flow_and_get_no_answer),
		UNIT(ipv6_clients_are_served_at_their_address),
		UNIT(viewers_at_one_address_get_flows_of_their_own),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
