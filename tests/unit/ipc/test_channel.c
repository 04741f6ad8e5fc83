/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "ipc/channel.h"

struct end {
	struct channel channel;
	unsigned messages;
	uint64_t last_poke;
	int closed; /* error + 1000 once closed */
	int fd;
	int excuses;
};

static void on_message(struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	struct end *end = channel->user;
	end->messages++;
	if (message->kind == IPC_POKE) {
		end->last_poke = message->poke.number;
	}
	if (fds->count > 0) {
		end->fd = fds_take(fds, 0);
	}
}

static void on_closed(struct channel *channel, int error) {
	struct end *end = channel->user;
	end->closed = error + 1000;
}

static const struct channel_events events = { .message = on_message, .closed = on_closed };

struct pair {
	sd_event *event;
	struct end supervisor, worker;
	int raw; /* the worker's end before it is opened */
};

static void open_pair(struct pair *pair) {
	int fds[2];
	*pair = (struct pair){ .supervisor.fd = -1, .worker.fd = -1 };
	assert_true(sd_event_new(&pair->event) >= 0);
	assert_int_equal(channel_pair(fds), 0);
	assert_int_equal(channel_open(&pair->supervisor.channel, pair->event, fds[0],
					 PEER_SUPERVISOR, PEER_GATE, &events, &pair->supervisor),
			0);
	pair->raw = fds[1];
}

static void open_worker(struct pair *pair) {
	assert_int_equal(channel_open(&pair->worker.channel, pair->event, pair->raw, PEER_GATE,
					 PEER_SUPERVISOR, &events, &pair->worker),
			0);
}

static void close_pair(struct pair *pair) {
	channel_close(&pair->supervisor.channel);
	if (pair->worker.channel.events) {
		channel_close(&pair->worker.channel);
	} else {
		fd_close(pair->raw);
	}
	fd_close(pair->worker.fd);
	sd_event_unref(pair->event);
}

static void run_until(struct pair *pair, const unsigned *count, unsigned wanted) {
	while (*count < wanted) {
		assert_true(sd_event_run(pair->event, 2000000) > 0);
	}
}

static const struct ipc_message stop = { .kind = IPC_STOP };

static void messages_and_descriptors_arrive(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	open_worker(&pair);
	int fd = memfd_create("x", MFD_CLOEXEC);
	struct ipc_message message = { .kind = IPC_GATE_LISTEN, .gate_listen.door = DOOR_RTSP };
	assert_int_equal(channel_send(&pair.supervisor.channel, &message, &fd, 1), 0);
	run_until(&pair, &pair.worker.messages, 1);
	assert_true(pair.worker.fd >= 0);
	assert_true(fcntl(pair.worker.fd, F_GETFD) & FD_CLOEXEC);
	fd_close(fd);
	close_pair(&pair);
}

static void a_full_queue_waits_in_order_and_is_bounded(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	unsigned sent = 0;
	while (channel_send(&pair.supervisor.channel, &stop, NULL, 0) == 0) {
		sent++;
		assert_true(sent < 100000);
	}
	assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), -ENOSPC);
	assert_int_equal(pair.supervisor.channel.waiting_count, CHANNEL_QUEUE_MAX);
	open_worker(&pair);
	run_until(&pair, &pair.worker.messages, sent);
	assert_int_equal(pair.supervisor.channel.waiting_count, 0);
	close_pair(&pair);
}

static void only_the_newest_poke_waits(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	while (pair.supervisor.channel.waiting_count == 0) {
		assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), 0);
	}
	for (uint64_t n = 1; n <= 1000; n++) {
		struct ipc_message poke = { .kind = IPC_POKE, .poke.number = n };
		assert_int_equal(channel_send(&pair.supervisor.channel, &poke, NULL, 0), 0);
	}
	assert_int_equal(pair.supervisor.channel.waiting_count, 2);
	assert_int_equal(pair.supervisor.channel.coalesced, 999);
	open_worker(&pair);
	while (pair.worker.last_poke == 0) {
		assert_true(sd_event_run(pair.event, 2000000) > 0);
	}
	assert_int_equal(pair.worker.last_poke, 1000);
	close_pair(&pair);
}

static void a_peer_that_does_not_drain_hangs(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	while (pair.supervisor.channel.waiting_count == 0) {
		assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), 0);
	}
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2 * CHANNEL_DRAIN_MS * 1000) > 0);
	}
	assert_int_equal(pair.supervisor.closed, 1000 - ETIMEDOUT);
	close_pair(&pair);
}

/* Too little for the kernel to say that there is room again. */
static void take_one(struct pair *pair) {
	struct ipc_message message;
	struct ipc_fds fds;
	assert_int_equal(channel_receive_fd(pair->raw, PEER_GATE, PEER_SUPERVISOR, 1000, &message,
					 &fds),
			0);
}

static void who_takes_them_slowly_does_not_hang(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	while (pair.supervisor.channel.waiting_count < 8) {
		assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), 0);
	}
	uint64_t begun_ms = clock_now_ms();
	for (unsigned left = 7; left > 5; left--) {
		take_one(&pair);
		while (pair.supervisor.channel.waiting_count > left) {
			assert_false(pair.supervisor.closed);
			assert_true(sd_event_run(pair.event, 2 * CHANNEL_DRAIN_MS * 1000) > 0);
		}
	}
	assert_true(clock_now_ms() - begun_ms >= 2 * CHANNEL_DRAIN_MS - 100);
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2 * CHANNEL_DRAIN_MS * 1000) > 0);
	}
	assert_int_equal(pair.supervisor.closed, 1000 - ETIMEDOUT);
	close_pair(&pair);
}

static bool excuse_twice(struct channel *channel) {
	struct end *end = (struct end *)channel->user;
	return ++end->excuses <= 2;
}

static void who_is_excused_has_as_long_again(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	struct channel_events patient = *pair.supervisor.channel.events;
	patient.excused = excuse_twice;
	pair.supervisor.channel.events = &patient;
	while (pair.supervisor.channel.waiting_count == 0) {
		assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), 0);
	}
	uint64_t begun_ms = clock_now_ms();
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2 * CHANNEL_DRAIN_MS * 1000) > 0);
	}
	assert_int_equal(pair.supervisor.excuses, 3);
	assert_true(clock_now_ms() - begun_ms >= 3 * CHANNEL_DRAIN_MS);
	close_pair(&pair);
}

static void a_lost_message_is_excused_by_nothing(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	struct channel_events patient = *pair.supervisor.channel.events;
	patient.excused = excuse_twice;
	pair.supervisor.channel.events = &patient;
	while (!pair.supervisor.channel.lost) {
		channel_post(&pair.supervisor.channel, &stop, NULL, 0);
	}
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2 * CHANNEL_DRAIN_MS * 1000) > 0);
	}
	assert_int_equal(pair.supervisor.excuses, 0);
	close_pair(&pair);
}

/* As one of a newer release may be for a while, at an upgrade. */
static void who_says_more_than_is_known_is_no_liar(void **state) {
	(void)state;
	static const uint8_t newer[] = { 0xf0, 0xff, 1, 2, 3 };
	struct pair pair;
	open_pair(&pair);
	assert_int_equal(send(pair.raw, newer, sizeof(newer), 0), sizeof(newer));
	struct ipc_message message = { .kind = IPC_GATE_READY };
	assert_int_equal(channel_send_fd(pair.raw, &message, NULL, 0), 0);
	while (!pair.supervisor.channel.received) {
		assert_true(sd_event_run(pair.event, 2000000) > 0);
	}
	assert_int_equal(pair.supervisor.channel.unknown, 1);
	assert_false(pair.supervisor.closed);
	close_pair(&pair);
}

static void a_liar_is_closed_and_its_descriptors_too(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	int fd = memfd_create("x", MFD_CLOEXEC);
	struct ipc_message message = { .kind = IPC_ENCODER_READY };
	assert_int_equal(channel_send_fd(pair.raw, &message, &fd, 1), 0);
	int next = dup(fd); /* the number that a leak would take */
	close(next);
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2000000) > 0);
	}
	assert_int_equal(pair.supervisor.closed, 1000 - EPROTO);
	int after = dup(fd);
	assert_true(after <= next);
	fd_close(after);
	fd_close(fd);
	close_pair(&pair);
}

static void the_end_of_a_peer_is_reported_after_its_last_word(void **state) {
	(void)state;
	struct pair pair;
	open_pair(&pair);
	struct ipc_message message = { .kind = IPC_GATE_READY };
	assert_int_equal(channel_send_fd(pair.raw, &message, NULL, 0), 0);
	fd_release(&pair.raw);
	while (!pair.supervisor.closed) {
		assert_true(sd_event_run(pair.event, 2000000) > 0);
	}
	assert_int_equal(pair.supervisor.messages, 1);
	assert_int_equal(pair.supervisor.closed, 1000);
	close_pair(&pair);
}

static void the_blocking_calls_have_a_deadline(void **state) {
	(void)state;
	struct pair pair;
	struct ipc_message message;
	struct ipc_fds fds;
	open_pair(&pair);
	assert_int_equal(
			channel_receive_fd(pair.raw, PEER_GATE, PEER_SUPERVISOR, 1, &message, &fds),
			-ETIMEDOUT);
	assert_int_equal(channel_send(&pair.supervisor.channel, &stop, NULL, 0), 0);
	assert_int_equal(channel_receive_fd(pair.raw, PEER_GATE, PEER_SUPERVISOR, 1000, &message,
					 &fds),
			0);
	assert_int_equal(message.kind, IPC_STOP);
	close_pair(&pair);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(messages_and_descriptors_arrive),
		UNIT(a_full_queue_waits_in_order_and_is_bounded),
		UNIT(only_the_newest_poke_waits),
		UNIT(a_peer_that_does_not_drain_hangs),
		UNIT(who_takes_them_slowly_does_not_hang),
		UNIT(who_is_excused_has_as_long_again),
		UNIT(a_lost_message_is_excused_by_nothing),
		UNIT(who_says_more_than_is_known_is_no_liar),
		UNIT(a_liar_is_closed_and_its_descriptors_too),
		UNIT(the_end_of_a_peer_is_reported_after_its_last_word),
		UNIT(the_blocking_calls_have_a_deadline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
