/* SPDX-License-Identifier: MIT */
/* Clients that hang up anywhere, idle or crawl: nothing of them may stay, and nobody else may
 * notice. */
#include "../unit.h"

#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "gate/connection.h"
#include "gate/pair.h"
#include "gate/places.h"
#include "ipc/pulse.h"
#include "proto/pairing_client.h"
#include "rig.h"

enum {
	ROUNDS = 20,
	HALF_OPEN = 500,
	DRIPPING = 300,
	ART_SIZE = 4 << 20,
};

/* Phase 1 of a pairing, the long poll. */
static void write_pair_request(struct world *world, int fd) {
	struct pairing_client pairing;
	char query[PAIRING_QUERY_MAX], request[PAIRING_QUERY_MAX + 128];
	assert_int_equal(pairing_client_begin(&pairing, &world->stranger.identity, "1234"), 0);
	int len = pairing_client_query(&pairing, query, sizeof(query) - 1);
	assert_true(len > 0);
	query[len] = '\0';
	text_format(request, sizeof(request), "GET /pair?%s HTTP/1.1\r\nHost: a\r\n\r\n", query);
	pairing_client_finish(&pairing);
	rig_write(fd, NULL, request);
}

/* An applist over a new TLS connection. */
static void ask_as_paired_client(struct world *world) {
	world_get_tls(world, &world->client, "/applist");
	assert_non_null(strstr(world->text, "<ID>7</ID>"));
}

static void reset_at_close(int fd) {
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* ---- the ways to hang up ---- */

static void abort_tcp_only(struct world *world) {
	close(rig_connect(world->rig.ports[DOOR_HTTPS]));
	close(rig_connect(world->rig.ports[DOOR_HTTP]));
	close(rig_connect(world->rig.ports[DOOR_RTSP]));
}

static void abort_partial_hello(struct world *world) {
	int fd = rig_connect(world->rig.ports[DOOR_HTTPS]);
	send(fd, "\x16\x03\x01\x02\x00\x01", 6, 0);
	close(fd);
}

static void abort_after_handshake(struct world *world) {
	struct tls_client client;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	tls_client_close(&client);
}

static void await_pairing(struct world *world, int fd, bool reset) {
	struct ipc_message message;
	rig_expect(&world->rig, IPC_PAIR_WAITING, &message);
	if (reset) {
		reset_at_close(fd);
	}
	close(fd);
	rig_expect(&world->rig, IPC_PAIR_GONE, &message);
	assert_int_equal(message.pair_gone.outcome, ECANCELED);
}

/* From one address of many: a single one may begin only so often. */
static int connect_to_pair(struct world *world) {
	char source[16];
	text_format(source, sizeof(source), "127.0.1.%u", 1 + random_u32() % 250);
	return rig_connect_from(world->rig.ports[DOOR_HTTP], source);
}

static void abort_long_poll_with_fin(struct world *world) {
	int fd = connect_to_pair(world);
	write_pair_request(world, fd);
	await_pairing(world, fd, false);
}

static void abort_long_poll_with_reset(struct world *world) {
	int fd = connect_to_pair(world);
	write_pair_request(world, fd);
	await_pairing(world, fd, true);
}

static void abort_half_request(struct world *world) {
	int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(fd, NULL, "GET /serverinfo HTTP/1.1\r\nHos");
	close(fd);
}

static void abort_pending_launch(struct world *world) {
	struct tls_client client;
	struct ipc_message message;
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(client.fd, client.ssl,
			"GET /launch?appid=7&rikey=000102030405060708090A0B0C0D0E0F&rikeyid=1"
			"&corever=1 HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_expect(&world->rig, IPC_LAUNCH, &message);
	tls_client_close(&client);
}

static void abort_half_answer(struct world *world) {
	struct tls_client client;
	char some[1000];
	tls_client_open(&client, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(client.fd, client.ssl, "GET /appasset?appid=7 HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_true(SSL_read(client.ssl, some, sizeof(some)) > 0);
	reset_at_close(client.fd);
	tls_client_close(&client);
}

static void hanging_up_anywhere_leaves_nothing_behind(void **state) {
	static void (*const kinds[])(struct world *) = {
		abort_tcp_only,
		abort_partial_hello,
		abort_after_handshake,
		abort_long_poll_with_fin,
		abort_long_poll_with_reset,
		abort_half_request,
		abort_pending_launch,
		abort_half_answer,
	};
	struct world *world = world_begin(state, PEER_GATE, 1);
	size_t base = rig_count_fds(&world->rig) + 1; /* the picture's */
	uint8_t *png = calloc(1, ART_SIZE);
	rig_send_art(&world->rig, 7, png, ART_SIZE);
	free(png);
	ask_as_paired_client(world);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			kinds[i](world);
		}
	}
	rig_await_fds(&world->rig, base);
	assert_int_equal(rig_count_close_wait(&world->rig, world->rig.ports[DOOR_HTTP]), 0);
	assert_int_equal(rig_count_close_wait(&world->rig, world->rig.ports[DOOR_HTTPS]), 0);
	assert_int_equal(rig_count_close_wait(&world->rig, world->rig.ports[DOOR_RTSP]), 0);
	ask_as_paired_client(world);
	world_end(world);
}

static void idlers_do_not_keep_a_paired_client_waiting(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	size_t base = rig_count_fds(&world->rig);
	ask_as_paired_client(world);
	static int half_open[HALF_OPEN], dripping[DRIPPING];
	for (unsigned i = 0; i < HALF_OPEN; i++) {
		half_open[i] = rig_connect(world->rig.ports[DOOR_HTTPS]);
		send(half_open[i], "\x16\x03\x01", 3, MSG_NOSIGNAL);
	}
	for (unsigned i = 0; i < DRIPPING; i++) {
		dripping[i] = rig_connect(world->rig.ports[DOOR_HTTP]);
		send(dripping[i], "GET /ser", 8, MSG_NOSIGNAL);
	}
	/* From the same address, which is the hard case. How long it takes is measured, and
	 * asserted, by tests/system/test_attack.py. */
	for (unsigned i = 0; i < 5; i++) {
		ask_as_paired_client(world);
		for (unsigned j = 0; j < DRIPPING; j++) {
			send(dripping[j], "v", 1, MSG_NOSIGNAL);
		}
	}
	assert_in_range(rig_count_fds(&world->rig), 0, base + PLACES_YOUNG_MAX + 8);
	/* A byte now and then buys no time: the deadlines are absolute. */
	uint64_t begun = clock_now_ms();
	rig_await_fds(&world->rig, base);
	assert_in_range(clock_now_ms() - begun, 0, 2 * CONNECTION_HEAD_MS);
	const struct pulse *pulse = (const struct pulse *)(void *)world->rig.pulse.map;
	assert_true(pulse->counters[PULSE_GATE_OVERDUE] > 0);
	for (unsigned i = 0; i < HALF_OPEN; i++) {
		close(half_open[i]);
	}
	for (unsigned i = 0; i < DRIPPING; i++) {
		close(dripping[i]);
	}
	world_end(world);
}

static void bodies_answers_and_idlers_have_their_deadlines(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	size_t base = rig_count_fds(&world->rig) + 1; /* the picture's */
	uint8_t *png = calloc(1, ART_SIZE);
	rig_send_art(&world->rig, 7, png, ART_SIZE);
	free(png);
	struct tls_client stalled;
	uint64_t first = clock_now_ms();
	tls_client_open(&stalled, world->rig.ports[DOOR_HTTPS], &world->client);
	rig_write(stalled.fd, stalled.ssl, "GET /appasset?appid=7 HTTP/1.1\r\nHost: a\r\n\r\n");
	int half = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(half, NULL, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
	int idle = rig_connect(world->rig.ports[DOOR_HTTP]);
	rig_write(idle, NULL, "GET /serverinfo HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_read_answer(idle, NULL, world->text, sizeof(world->text));
	/* No sooner than promised from before the first byte, and in twice the time from after
	 * the last. */
	uint64_t begun = clock_now_ms();
	rig_await_fds(&world->rig, base + 2);
	assert_true(clock_now_ms() - first >= CONNECTION_STALL_MS);
	rig_await_fds(&world->rig, base + 1);
	assert_true(clock_now_ms() - begun <= 2 * CONNECTION_BODY_MS);
	rig_await_fds(&world->rig, base);
	assert_true(clock_now_ms() - first >= CONNECTION_IDLE_MS);
	assert_true(clock_now_ms() - begun <= 2 * CONNECTION_IDLE_MS);
	assert_int_equal(recv(half, world->text, 1, 0), 0);
	assert_int_equal(recv(idle, world->text, 1, 0), 0);
	close(half);
	close(idle);
	tls_client_close(&stalled);
	world_end(world);
}

static void limit_fds(const struct rig *rig, rlim_t count) {
	struct rlimit limit;
	assert_int_equal(prlimit(rig->pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = count;
	assert_int_equal(prlimit(rig->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static uint64_t cpu_ns(const struct rig *rig) {
	clockid_t clock;
	struct timespec used;
	assert_int_equal(clock_getcpuclockid(rig->pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &used), 0);
	return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

static unsigned count_in_log(const struct rig *rig, const char *text) {
	static char log[1 << 20];
	ssize_t n = pread(rig->log, log, sizeof(log) - 1, 0);
	unsigned count = 0;
	log[n > 0 ? n : 0] = '\0';
	for (const char *at = log; (at = strstr(at, text)); at++) {
		count++;
	}
	return count;
}

static void without_descriptors_accepting_rests_and_recovers(void **state) {
	enum {
		FREE = 4,
		CLIENTS = 20,
		QUIET_MS = 2000,
	};
	struct world *world = world_begin(state, PEER_GATE, 1);
	size_t base = rig_count_fds(&world->rig);
	limit_fds(&world->rig, base + FREE);
	int clients[CLIENTS];
	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i] = rig_connect(world->rig.ports[DOOR_HTTP]);
	}
	uint64_t used = cpu_ns(&world->rig);
	assert_true(rig_is_quiet(&world->rig, QUIET_MS));
	used = cpu_ns(&world->rig) - used;
	assert_in_range(used / NS_PER_MS, 0, QUIET_MS / 10); /* no spinning at the full queue */
	assert_in_range(count_in_log(&world->rig, "accept-paused why=no-descriptors"), 1, 2);
	/* Each place that is given up is somebody else's at once, up to the last of the queue. */
	for (unsigned i = 0; i < CLIENTS; i++) {
		rig_write(clients[i], NULL,
				"GET /serverinfo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
		rig_read_answer(clients[i], NULL, world->text, sizeof(world->text));
		assert_has(world->text, "<PairStatus>0</PairStatus>");
		close(clients[i]);
	}
	limit_fds(&world->rig, 2048);
	rig_await_fds(&world->rig, base);
	ask_as_paired_client(world);
	world_end(world);
}

static void nonsense_is_refused_with_a_status(void **state) {
	static const struct {
		const char *request, *answer;
	} cases[] = {
		{ "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 501 " },
		{ "GET / HTTP/1.1\nHost: a\n\n", "HTTP/1.1 400 " },
		{ "GET /serverinfo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
				"HTTP/1.1 501 " },
		{ "POST /serverinfo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n",
				"HTTP/1.1 413 " },
		{ "POST /serverinfo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
				"HTTP/1.1 405 " },
	};
	struct world *world = world_begin(state, PEER_GATE, 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int fd = rig_connect(world->rig.ports[DOOR_HTTP]);
		rig_write(fd, NULL, cases[i].request);
		rig_read_answer(fd, NULL, world->text, sizeof(world->text));
		if (strncmp(world->text, cases[i].answer, strlen(cases[i].answer)) != 0) {
			print_error("case %zu: %.60s\n", i, world->text);
			fail();
		}
		assert_non_null(strstr(world->text, "frame-ancestors 'none'"));
		close(fd);
	}
	world_end(world);
}

static void waiting_pairings_are_few(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message message;
	int first = rig_connect(world->rig.ports[DOOR_HTTP]);
	write_pair_request(world, first);
	rig_expect(&world->rig, IPC_PAIR_WAITING, &message);
	/* The same client once more: no second guess beside the first. */
	int second = rig_connect(world->rig.ports[DOOR_HTTP]);
	write_pair_request(world, second);
	rig_read_answer(second, NULL, world->text, sizeof(world->text));
	assert_non_null(strstr(world->text, "status_code=\"400\""));
	assert_true(rig_is_quiet(&world->rig, 20));
	close(second);
	int others[PAIRS_MAX - 1];
	char source[16];
	for (unsigned i = 0; i < PAIRS_MAX - 1; i++) {
		text_format(source, sizeof(source), "127.0.0.%u", i + 2);
		others[i] = rig_connect_from(world->rig.ports[DOOR_HTTP], source);
		write_pair_request(world, others[i]);
		rig_expect(&world->rig, IPC_PAIR_WAITING, &message);
	}
	int last = rig_connect_from(world->rig.ports[DOOR_HTTP], "127.0.0.99");
	write_pair_request(world, last);
	rig_read_answer(last, NULL, world->text, sizeof(world->text));
	assert_non_null(strstr(world->text, "status_code=\"400\""));
	close(last);
	close(first);
	for (unsigned i = 0; i < PAIRS_MAX - 1; i++) {
		close(others[i]);
	}
	world_end(world);
}

static void who_begins_to_pair_too_often_keeps_nobody_else_from_it(void **state) {
	struct world *world = world_begin(state, PEER_GATE, 1);
	struct ipc_message message;
	unsigned begun = 0;
	for (unsigned i = 0; i < PAIRS_BEGIN_OF_SOURCE_MAX + 8; i++) {
		int fd = rig_connect_from(world->rig.ports[DOOR_HTTP], "127.0.0.7");
		write_pair_request(world, fd);
		/* Either it waits for its PIN, or it is told why not. */
		struct pollfd wait[] = { { .fd = fd, .events = POLLIN },
			{ .fd = world->rig.supervisor, .events = POLLIN } };
		assert_true(poll(wait, 2, RIG_WAIT_MS) > 0);
		if (wait[0].revents) {
			rig_read_answer(fd, NULL, world->text, sizeof(world->text));
			assert_non_null(strstr(world->text, "Too many clients"));
			close(fd);
			continue;
		}
		begun++;
		await_pairing(world, fd, i % 2);
	}
	/* More only if this took longer than the window. */
	assert_in_range(begun, PAIRS_BEGIN_OF_SOURCE_MAX, PAIRS_BEGIN_OF_SOURCE_MAX + 7);
	int honest = rig_connect_from(world->rig.ports[DOOR_HTTP], "127.0.0.8");
	write_pair_request(world, honest);
	rig_expect(&world->rig, IPC_PAIR_WAITING, &message);
	close(honest);
	world_end(world);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(hanging_up_anywhere_leaves_nothing_behind),
		UNIT(idlers_do_not_keep_a_paired_client_waiting),
		UNIT(bodies_answers_and_idlers_have_their_deadlines),
		UNIT(without_descriptors_accepting_rests_and_recovers),
		UNIT(nonsense_is_refused_with_a_status),
		UNIT(waiting_pairings_are_few),
		UNIT(who_begins_to_pair_too_often_keeps_nobody_else_from_it),
	};
	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
