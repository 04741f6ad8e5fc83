/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <systemd/sd-event.h>

#include "base/own.h"
#include "gate/gate.h"
#include "proto/ping.h"

/* The door over real sockets. What it posts to the supervisor comes here instead
 * (the linker's --wrap), at the very moment at which a stream could have it. */

enum {
	SESSION = 7,
};

static const uint8_t client_hash[32] = { 1 };

struct rig {
	struct gate *gate;   /* owned */
	struct pulse *pulse; /* owned */
	int client;          /* owned, connected to the door */
	int flow;            /* owned: what was handed over, -1 before */
	unsigned posted;
};

void __wrap_worker_post(struct worker *worker, const struct ipc_message *message, const int *fds,
		size_t n_fds);

/* The stream runs at once, answers, and its client goes on talking before the gate
 * runs again: that is what a busy machine does now and then. */
void __wrap_worker_post(struct worker *worker, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	struct rig *rig = worker->user;
	assert_int_equal(message->kind, IPC_FLOW);
	assert_int_equal(n_fds, 1);
	rig->posted++;
	fd_close(rig->flow);
	rig->flow = dup(fds[0]);
	assert_int_equal(send(rig->client, "answer", 6, 0), 6);
}

static int bind_loopback(uint16_t *out_port) {
	struct sockaddr_in6 sa = { .sin6_family = AF_INET6 };
	socklen_t len = sizeof(sa);
	int off = 0;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*out_port = ntohs(sa.sin6_port);
	return fd;
}

static int connect_loopback(uint16_t port) {
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

static void put_session(struct gate *gate) {
	struct session_launch launch = { .id = SESSION,
		.client = client_hash,
		.sealed = true,
		.key = { { 1 } },
		.connect_data = 99,
		.enet_peer = 12,
		.trace = "t" };
	memset(launch.video_ping.bytes, 'V', PING_SECRET_SIZE);
	memset(launch.audio_ping.bytes, 'A', PING_SECRET_SIZE);
	assert_int_equal(address_parse_ip("127.0.0.1", &launch.launcher), 0);
	struct session *session;
	assert_int_equal(sessions_put(&gate->sessions, &launch, 0, &session), 0);
	session_prove(session, &launch.launcher);
}

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));
	rig->gate = calloc(1, sizeof(*rig->gate));
	rig->pulse = calloc(1, sizeof(*rig->pulse));
	rig->flow = -1;
	rig->gate->worker.user = rig;
	rig->gate->worker.pulse = rig->pulse;
	assert_true(sd_event_new(&rig->gate->worker.event) >= 0);
	datagrams_init(&rig->gate->datagrams, rig->gate);
	uint16_t port;
	int fd = bind_loopback(&port);
	assert_int_equal(datagrams_add(&rig->gate->datagrams, FLOW_VIDEO, fd, port), 0);
	rig->client = connect_loopback(port);
	put_session(rig->gate);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	struct rig *rig = *state;
	datagrams_finish(&rig->gate->datagrams);
	sessions_finish(&rig->gate->sessions);
	sd_event_unref(rig->gate->worker.event);
	fd_close(rig->client);
	fd_close(rig->flow);
	free(rig->pulse);
	free(rig->gate);
	free(rig);
	return 0;
}

static void send_ping(struct rig *rig, uint32_t counter) {
	uint8_t secret[PING_SECRET_SIZE], ping[PING_SIZE];
	memset(secret, 'V', sizeof(secret));
	ping_encode(secret, counter, ping);
	assert_int_equal(send(rig->client, ping, sizeof(ping), 0), sizeof(ping));
}

static void what_a_client_says_to_its_stream_is_left_to_the_stream(void **state) {
	struct rig *rig = *state;
	send_ping(rig, 1);
	assert_true(sd_event_run(rig->gate->worker.event, 1000000) > 0);
	assert_int_equal(rig->posted, 1);
	char text[32] = "";
	assert_int_equal(recv(rig->flow, text, sizeof(text), MSG_DONTWAIT), 6);
	assert_string_equal(text, "answer");
}

int main(void) {
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
				what_a_client_says_to_its_stream_is_left_to_the_stream, setup,
				teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
