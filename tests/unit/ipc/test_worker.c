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

static void send_start(int supervisor, int pulse) {
	struct ipc_message message = { .kind = IPC_START, .start.worker = 1 };
	assert_int_equal(channel_send_fd(supervisor, &message, &pulse, 1), 0);
}

static void a_busy_loop_beats_and_is_not_overdue(void **state) {
	(void)state;
	int pair[2];
	struct shm pulse;
	/* Whoever started the test may have left something there. */
	assert_true(dup2(STDERR_FILENO, WORKER_CHANNEL_FD) == WORKER_CHANNEL_FD);
	assert_int_equal(channel_pair(pair), 0);
	assert_int_equal(shm_create("pulse", PULSE_SIZE, false, &pulse), 0);
	send_start(pair[0], pulse.fd);
	assert_int_equal(dup2(pair[1], WORKER_CHANNEL_FD), WORKER_CHANNEL_FD);
	close(pair[1]);
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

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_busy_loop_beats_and_is_not_overdue),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
