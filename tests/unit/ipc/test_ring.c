/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "ipc/ring.h"

enum {
	CAPACITY = 16384,
	BIG = 4000,
};

/* Every byte of a packet tells its sequence, so that a torn copy shows. */
static void fill(uint8_t *bytes, size_t size, uint64_t sequence) {
	memset(bytes, (int)(sequence % 251), size);
}

static bool whole(const uint8_t *bytes, size_t size, uint64_t sequence) {
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != sequence % 251) {
			return false;
		}
	}
	return true;
}

static size_t size_of(uint64_t sequence) {
	return 1 + sequence * 7919 % BIG;
}

static void write_next(struct ring_writer *writer, uint64_t sequence) {
	uint8_t bytes[BIG];
	struct ring_packet packet = { .flags = RING_KEY, .references = sequence - 1 };
	fill(bytes, sizeof(bytes), sequence);
	assert_int_equal(ring_write(writer, &packet, bytes, size_of(sequence)), 0);
	assert_int_equal(packet.sequence, sequence);
}

static void packets_come_in_order(void **state) {
	(void)state;
	struct ring_writer writer;
	struct ring_reader reader;
	struct ring_packet packet;
	uint8_t bytes[BIG];
	assert_int_equal(ring_create(CAPACITY, &writer), 0);
	assert_int_equal(ring_open(dup(writer.shm.fd), &reader), 0);
	assert_int_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), -EAGAIN);
	for (uint64_t n = 1; n < 2000; n++) {
		write_next(&writer, n);
		assert_int_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), 0);
		assert_int_equal(packet.sequence, n);
		assert_int_equal(packet.size, size_of(n));
		assert_true(whole(bytes, packet.size, n));
	}
	assert_int_equal(reader.lapped, 0);
	ring_reader_finish(&reader);
	ring_writer_finish(&writer);
}

static void a_lapped_reader_knows_and_goes_on(void **state) {
	(void)state;
	struct ring_writer writer;
	struct ring_reader reader;
	struct ring_packet packet;
	uint8_t bytes[BIG];
	assert_int_equal(ring_create(CAPACITY, &writer), 0);
	assert_int_equal(ring_open(dup(writer.shm.fd), &reader), 0);
	for (uint64_t n = 1; n <= 100; n++) {
		write_next(&writer, n);
	}
	assert_int_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), -EOVERFLOW);
	assert_int_equal(reader.lapped, 1);
	uint64_t last = 0;
	while (ring_read(&reader, &packet, bytes, sizeof(bytes)) == 0) {
		assert_true(whole(bytes, packet.size, packet.sequence));
		last = packet.sequence;
	}
	assert_int_equal(last, 100);
	assert_int_equal(ring_peek(&reader, 1, &packet), -EAGAIN);
	assert_int_equal(ring_peek(&reader, 100, &packet), 0);
	assert_int_equal(packet.references, 99);
	ring_reader_finish(&reader);
	ring_writer_finish(&writer);
}

static void a_newcomer_starts_after_the_newest(void **state) {
	(void)state;
	struct ring_writer writer;
	struct ring_reader reader;
	struct ring_packet packet;
	uint8_t bytes[BIG];
	assert_int_equal(ring_create(CAPACITY, &writer), 0);
	write_next(&writer, 1);
	assert_int_equal(ring_open(dup(writer.shm.fd), &reader), 0);
	assert_int_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), -EAGAIN);
	write_next(&writer, 2);
	assert_int_equal(ring_read(&reader, &packet, bytes, 1), -EMSGSIZE);
	assert_int_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), 0);
	assert_int_equal(packet.sequence, 2);
	ring_reader_finish(&reader);
	ring_writer_finish(&writer);
}

static void what_does_not_fit_is_refused(void **state) {
	(void)state;
	struct ring_writer writer;
	struct ring_packet packet = { 0 };
	uint8_t bytes[CAPACITY] = { 0 };
	assert_int_equal(ring_create(CAPACITY, &writer), 0);
	assert_int_equal(ring_write(&writer, &packet, bytes, CAPACITY / 2 + 1), -ENOSPC);
	assert_int_equal(ring_write(&writer, &packet, bytes, 0), -ENOSPC);
	ring_writer_finish(&writer);
}

/* A hostile writer has the whole block; whatever it writes, a reader neither
 * leaves its mapping nor its buffer (ASan looks) nor loops. */
static void a_writer_of_nonsense_hurts_no_reader(void **state) {
	(void)state;
	struct ring_writer writer;
	struct ring_reader reader;
	assert_int_equal(ring_create(CAPACITY, &writer), 0);
	assert_int_equal(ring_open(dup(writer.shm.fd), &reader), 0);
	unsigned seed = 4711;
	uint8_t *exact = malloc(100);
	for (int round = 0; round < 3000; round++) {
		for (int i = 0; i < 50; i++) {
			size_t at = 16 + (size_t)rand_r(&seed) % 20000;
			writer.shm.map[at] = (uint8_t)rand_r(&seed);
		}
		if (round % 3 == 0) {
			struct ring_packet packet = { .flags = RING_KEY };
			writer.oldest = writer.sequence + 1;
			(void)!ring_write(&writer, &packet, "nonsense", 8);
		}
		for (int i = 0; i < 10; i++) {
			struct ring_packet packet;
			(void)!ring_read(&reader, &packet, exact, 100);
			(void)!ring_peek(&reader, (uint64_t)rand_r(&seed), &packet);
		}
		if (round % 7 == 0) {
			reader.next = writer.sequence;
		}
	}
	free(exact);
	ring_reader_finish(&reader);
	ring_writer_finish(&writer);
}

struct race {
	struct ring_writer writer;
	uint64_t packets;
};

static void *write_race(void *user) {
	struct race *race = user;
	uint8_t bytes[BIG];
	for (uint64_t n = 1; n <= race->packets; n++) {
		struct ring_packet packet = { 0 };
		fill(bytes, sizeof(bytes), n);
		(void)!ring_write(&race->writer, &packet, bytes, size_of(n));
	}
	return NULL;
}

static uint64_t read_until(struct ring_reader *reader, uint64_t last) {
	uint8_t bytes[BIG];
	struct ring_packet packet = { 0 };
	uint64_t read = 0;
	while (packet.sequence < last) {
		int rc = ring_read(reader, &packet, bytes, sizeof(bytes));
		if (rc == 0) {
			assert_true(whole(bytes, packet.size, packet.sequence));
			assert_int_equal(packet.size, size_of(packet.sequence));
			read++;
		} else {
			assert_true(rc == -EAGAIN || rc == -EOVERFLOW);
		}
	}
	return read;
}

static void a_racing_reader_never_sees_a_torn_packet(void **state) {
	(void)state;
	struct race race = { .packets = 20000 };
	struct ring_reader reader;
	assert_int_equal(ring_create(CAPACITY, &race.writer), 0);
	assert_int_equal(ring_open(dup(race.writer.shm.fd), &reader), 0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, write_race, &race), 0);
	assert_true(read_until(&reader, race.packets) > 0);
	pthread_join(thread, NULL);
	ring_reader_finish(&reader);
	ring_writer_finish(&race.writer);
}

static void a_writer_killed_midway_leaves_whole_packets(void **state) {
	(void)state;
	struct race race = { .packets = UINT64_MAX };
	struct ring_reader reader;
	assert_int_equal(ring_create(CAPACITY, &race.writer), 0);
	assert_int_equal(ring_open(dup(race.writer.shm.fd), &reader), 0);
	pid_t child = fork();
	if (child == 0) {
		write_race(&race);
		_exit(0);
	}
	read_until(&reader, 5000);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	uint8_t bytes[BIG];
	struct ring_packet packet;
	for (int i = 0; i < 2 * RING_SLOTS; i++) {
		if (ring_read(&reader, &packet, bytes, sizeof(bytes)) == 0) {
			assert_true(whole(bytes, packet.size, packet.sequence));
		}
	}
	assert_int_not_equal(ring_read(&reader, &packet, bytes, sizeof(bytes)), 0);
	ring_reader_finish(&reader);
	ring_writer_finish(&race.writer);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(packets_come_in_order),
		UNIT(a_lapped_reader_knows_and_goes_on),
		UNIT(a_newcomer_starts_after_the_newest),
		UNIT(what_does_not_fit_is_refused),
		UNIT(a_writer_of_nonsense_hurts_no_reader),
		UNIT(a_racing_reader_never_sees_a_torn_packet),
		UNIT(a_writer_killed_midway_leaves_whole_packets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
