/* SPDX-License-Identifier: MIT */
/* From RTSP to the flows of a stream, at the Moonlight door as a real process. */
#include "../unit.h"

#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "gate/sessions.h"
#include "proto/enet.h"
#include "proto/ping.h"
#include "talk.h"

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
	talk_launch(world, "&corever=1");
	struct rtsp_seal seal = talk_seal();
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(talk_ask(&talk, RTSP_OPTIONS, "rtsp://127.0.0.1"), 200);
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
			"GET /launch?" TALK_LAUNCH "&corever=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message answer = talk_granted(&asked);
	rig_send(&world->rig, &answer);
	rig_read_answer(client.fd, client.ssl, world->text, sizeof(world->text));
	assert_has(world->text, "<sessionUrl0>rtspenc://[::1]:");
	tls_client_close(&client);
	struct rtsp_seal seal = talk_seal();
	struct talk talk = { .world = world, .seal = &seal, .source = "::1" };
	talk_set_up(&talk);
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
	talk_ask_tls(world, &client,
			"/launch?appid=7&rikey=FF0102030405060708090A0B0C0D0E0F&rikeyid=1&corever="
			"1");
	rig_expect(&world->rig, IPC_LAUNCH, &asked);
	struct ipc_message answer = talk_granted(&asked);
	answer.launched.session = 43;
	memcpy(answer.launched.video_ping.bytes, "1111222233334444", 16);
	rig_send(&world->rig, &answer);
	talk_read_tls(world, &client);
	struct secret key;
	struct rtsp_seal seal;
	assert_int_equal(hex_decode("FF0102030405060708090A0B0C0D0E0F", 32, key.bytes), 0);
	assert_int_equal(rtsp_seal_init(&seal, RTSP_SEAL_CLIENT, &key), 0);
	struct talk talk = { .world = world, .seal = &seal };
	assert_int_equal(talk_ask(&talk, RTSP_OPTIONS, "/"), 200);
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
		UNIT(first_datagrams_make_connected_sockets),
		UNIT(datagrams_that_prove_nothing_make_no_flow_and_get_no_answer),
		UNIT(ipv6_clients_are_served_at_their_address),
		UNIT(viewers_at_one_address_get_flows_of_their_own),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
