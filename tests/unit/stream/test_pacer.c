/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/own.h"
#include "stream/pacer.h"

enum {
	SIZE = 1408,
	COUNT = 300,
};

static uint8_t bytes[COUNT * SIZE];

static void fill(void) {
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i / SIZE * 7 + i % SIZE);
	}
}

static void open_pair(int *out_sender, int *out_receiver) {
	struct sockaddr_in address = { .sin_family = AF_INET };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	socklen_t len = sizeof(address);
	int room = 4 << 20;
	*out_receiver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	*out_sender = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(*out_receiver, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	assert_int_equal(bind(*out_receiver, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(*out_receiver, (struct sockaddr *)&address, &len), 0);
	assert_int_equal(connect(*out_sender, (struct sockaddr *)&address, len), 0);
}

/* Sends everything on a clock of our own and checks each datagram; returns when
 * the last one left. */
static uint64_t run(struct pacer *pacer, int receiver, uint32_t count) {
	uint64_t now = NS_PER_S;
	uint32_t got = 0;
	pacer_begin(pacer, count, SIZE, now);
	pacer_load(pacer, bytes, count);
	for (unsigned turns = 0; turns < 100; turns++) {
		enum pacer_result result = pacer_run(pacer, now);
		uint8_t datagram[2 * SIZE];
		while (got < pacer->sent) {
			struct pollfd wait = { .fd = receiver, .events = POLLIN };
			assert_int_equal(poll(&wait, 1, 2000), 1);
			assert_int_equal(recv(receiver, datagram, sizeof(datagram), 0), SIZE);
			assert_memory_equal(datagram, bytes + got * SIZE, SIZE);
			got++;
		}
		if (result == PACER_DONE) {
			assert_int_equal(got, count);
			return now;
		}
		assert_int_equal(result, PACER_LATER);
		assert_true(pacer_next_ns(pacer) > now);
		now = pacer_next_ns(pacer);
	}
	fail();
	return 0;
}

static void every_datagram_arrives_as_it_was_with_segmentation(void **state) {
	(void)state;
	OWN(fd_close) int sender = -1;
	OWN(fd_close) int receiver = -1;
	open_pair(&sender, &receiver);
	struct pacer pacer;
	pacer_init(&pacer, 50000, 6000);
	pacer_attach(&pacer, sender);
	uint64_t end = run(&pacer, receiver, COUNT);
	assert_true(pacer.segments);
	assert_int_equal(pacer.counters.datagrams, COUNT);
	assert_true(pacer.counters.calls <= COUNT / PACER_SEGMENTS + 2);
	assert_true(end <= NS_PER_S + 100 * NS_PER_S / 6000 / 2);
}

static void every_datagram_arrives_as_it_was_without_segmentation(void **state) {
	(void)state;
	OWN(fd_close) int sender = -1;
	OWN(fd_close) int receiver = -1;
	open_pair(&sender, &receiver);
	struct pacer pacer;
	pacer_init(&pacer, 50000, 6000);
	pacer_attach(&pacer, sender);
	pacer.segments = false;
	run(&pacer, receiver, COUNT);
	assert_int_equal(pacer.counters.datagrams, COUNT);
}

/* UDP checksums off and segmentation on is what the kernel answers with EIO. */
static void refused_segmentation_falls_back_in_the_same_call(void **state) {
	(void)state;
	OWN(fd_close) int sender = -1;
	OWN(fd_close) int receiver = -1;
	open_pair(&sender, &receiver);
	int on = 1;
	assert_int_equal(setsockopt(sender, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
	struct pacer pacer;
	pacer_init(&pacer, 50000, 6000);
	pacer_attach(&pacer, sender);
	run(&pacer, receiver, COUNT);
	assert_false(pacer.segments);
	assert_int_equal(pacer.counters.datagrams, COUNT);
	assert_int_equal(pacer.counters.failed, 0);
}

static void a_receiver_that_is_away_is_counted_and_no_error(void **state) {
	(void)state;
	int sender, receiver;
	open_pair(&sender, &receiver);
	fd_close(receiver);
	struct pacer pacer;
	pacer_init(&pacer, 50000, 6000);
	pacer_attach(&pacer, sender);
	for (int i = 0; i < 4; i++) {
		pacer_begin(&pacer, 10, SIZE, NS_PER_S);
		pacer_load(&pacer, bytes, 10);
		assert_int_equal(pacer_run(&pacer, NS_PER_S), PACER_DONE);
	}
	assert_true(pacer.counters.refused > 0);
	assert_true(pacer.segments);
	fd_close(sender);
}

int main(void) {
	fill();
	const struct CMUnitTest tests[] = {
		UNIT(every_datagram_arrives_as_it_was_with_segmentation),
		UNIT(every_datagram_arrives_as_it_was_without_segmentation),
		UNIT(refused_segmentation_falls_back_in_the_same_call),
		UNIT(a_receiver_that_is_away_is_counted_and_no_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
