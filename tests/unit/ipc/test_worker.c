/* SPDX-License-Identifier: MIT */
#include <unistd.h>

#include <systemd/sd-event.h>

#include "../unit.h"

#include "base/clock.h"
#include "base/shm.h"
#include "ipc/channel.h"
#include "ipc/worker.h"

/* A worker whose loop never waits: a source that is always ready. */
struct busy {
	struct worker worker;
	struct sd_event_source *source;
	uint64_t until_ns, events;
	bool overdue;
};

static int handle_event(sd_event_source *source, void *user) {
	(void)source;
	struct busy *busy = user;
	struct pulse_view view;
	pulse_look(busy->worker.pulse, &view);
	busy->events++;
	busy->overdue |= pulse_is_overdue(&view, clock_now_ns());
	if (clock_now_ns() > busy->until_ns) {
		worker_leave(&busy->worker);
	}
	return 0;
}

static int start(struct worker *worker) {
	struct busy *busy = worker->user;
	busy->until_ns = clock_now_ns() + (WORKER_LOOP_LIMIT_MS + 100) * NS_PER_MS;
	int rc = sd_event_add_defer(worker->event, &busy->source, handle_event, busy);
	return rc < 0 ? rc : sd_event_source_set_enabled(busy->source, SD_EVENT_ON);
}

static const struct worker_class class = {
	.kind = PEER_GATE,
	.start = start,
};

/* One that is ready at once and leaves when it is told the end of the apps. */
static int start_ready(struct worker *worker) {
	struct ipc_message ready = { .kind = IPC_GATE_READY };
	worker_post(worker, &ready, NULL, 0);
	return 0;
}

static void hear(struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (message->kind == IPC_GATE_APPS_END) {
		worker_leave(worker);
	}
}

static const struct worker_class ready_class = {
	.kind = PEER_GATE,
	.start = start_ready,
	.message = hear,
};

static void send_start(int supervisor, int pulse) {
	struct ipc_message message = { .kind = IPC_START, .start.worker = 1 };
	assert_int_equal(channel_send_fd(supervisor, &message, &pulse, 1), 0);
}

/* Whoever started the test may have left something at the channel's place, or not. */
static void make_pair(int pair[2]) {
	assert_true(dup2(STDERR_FILENO, WORKER_CHANNEL_FD) == WORKER_CHANNEL_FD);
	assert_int_equal(channel_pair(pair), 0);
}

static void take_channel(int worker_end) {
	assert_int_equal(dup2(worker_end, WORKER_CHANNEL_FD), WORKER_CHANNEL_FD);
	close(worker_end);
}

static void finish(struct worker *worker) {
	channel_close(&worker->channel);
	said_finish(&worker->said);
	for (size_t i = 0; i < ARRAY_LEN(worker->sources); i++) {
		sd_event_source_disable_unref(worker->sources[i]);
	}
	sd_event_source_disable_unref(worker->grace);
	sd_event_unref(worker->event);
}

static void receive(int supervisor, enum ipc_kind kind, struct ipc_message *out) {
	struct ipc_fds fds;
	assert_int_equal(
			channel_receive_fd(supervisor, PEER_SUPERVISOR, PEER_GATE, 1000, out, &fds),
			0);
	assert_int_equal(out->kind, kind);
}

static void a_busy_loop_beats_and_is_not_overdue(void **state) {
	(void)state;
	int pair[2];
	struct shm pulse;
	make_pair(pair);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &pulse), 0);
	send_start(pair[0], pulse.fd);
	take_channel(pair[1]);
	static struct busy busy; /* as long as its process, like every worker */
	assert_int_equal(worker_open(&busy.worker, &class, &busy), 0);
	assert_int_equal(worker_run(&busy.worker), 0);
	struct pulse_view view;
	pulse_look((const struct pulse *)pulse.map, &view);
	assert_true(busy.events > 10);
	assert_false(busy.overdue);
	assert_true(view.beats >= busy.events);
	close(pair[0]);
	channel_close(&busy.worker.channel);
	sd_event_source_disable_unref(busy.source);
	for (size_t i = 0; i < ARRAY_LEN(busy.worker.sources); i++) {
		sd_event_source_disable_unref(busy.worker.sources[i]);
	}
	sd_event_source_disable_unref(busy.worker.grace);
	sd_event_unref(busy.worker.event);
	shm_finish(&pulse);
}

/* A supervisor that takes over hears again what lasts, then who it is and how many
 * orders it has got. */
static void a_new_supervisor_is_told_how_far_it_is(void **state) {
	(void)state;
	int pair[2];
	struct shm pulse;
	struct ipc_message message;
	make_pair(pair);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &pulse), 0);
	send_start(pair[0], pulse.fd);
	const enum ipc_kind orders[] = { IPC_POKE, IPC_GATE_CODECS, IPC_GATE_CODECS, IPC_WHO,
		IPC_GATE_APPS_END };
	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		message = (struct ipc_message){ .kind = orders[i] };
		assert_int_equal(channel_send_fd(pair[0], &message, NULL, 0), 0);
	}
	take_channel(pair[1]);
	static struct worker worker;
	assert_int_equal(worker_open(&worker, &ready_class, NULL), 0);
	assert_int_equal(worker_run(&worker), 0);
	receive(pair[0], IPC_HELLO, &message);
	receive(pair[0], IPC_GATE_READY, &message);
	receive(pair[0], IPC_GATE_READY, &message);
	receive(pair[0], IPC_I_AM, &message);
	assert_int_equal(message.i_am.worker, 1);
	assert_int_equal(message.i_am.heard, 2);
	assert_int_equal(message.i_am.ending, 0);
	receive(pair[0], IPC_STOPPED, &message);
	close(pair[0]);
	finish(&worker);
	shm_finish(&pulse);
}

static void without_any_supervisor_it_ends_in_order(void **state) {
	(void)state;
	int pair[2];
	struct shm pulse;
	make_pair(pair);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &pulse), 0);
	send_start(pair[0], pulse.fd);
	take_channel(pair[1]);
	static struct worker worker;
	assert_int_equal(worker_open(&worker, &ready_class, NULL), 0);
	close(pair[0]);
	assert_int_equal(worker_run(&worker), 0);
	assert_int_equal(worker.reason, REASON_SHUTDOWN);
	finish(&worker);
	shm_finish(&pulse);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_busy_loop_beats_and_is_not_overdue),
		UNIT(a_new_supervisor_is_told_how_far_it_is),
		UNIT(without_any_supervisor_it_ends_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
