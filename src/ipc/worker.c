/* SPDX-License-Identifier: MIT */
#include "ipc/worker.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/spawning.h"
#include "base/text.h"
#include "base/version.h"
#include "ipc/crash.h"
#include "ipc/obey.h"
#include "ipc/page.h"
#include "ipc/pool.h"
#include "ipc/ring.h"
#include "ipc/settle.h"

static void set_detail(struct worker *worker, const char *detail, va_list args)
		__attribute__((format(printf, 2, 0)));

static void set_detail(struct worker *worker, const char *detail, va_list args) {
	if (vsnprintf(worker->detail, sizeof(worker->detail), detail, args) < 0) {
		worker->detail[0] = '\0';
	}
	for (char *at = worker->detail; *at; at++) {
		if (*at == '\n') {
			*at = ' ';
		}
	}
}

void worker_post(struct worker *worker, const struct ipc_message *message, const int *fds,
		size_t n_fds) {
	int rc = said_note(&worker->said, message, fds, n_fds);
	if (rc < 0) {
		log_warning("not-remembered", "message=%s error=%s", ipc_kind_name(message->kind),
				log_quote(strerror(-rc)).text);
	}
	channel_post(&worker->channel, message, fds, n_fds);
}

void worker_leave(struct worker *worker) {
	struct ipc_message message = { .kind = IPC_STOPPED, .stopped.reason = worker->reason };
	text_copy(message.stopped.detail, sizeof(message.stopped.detail), worker->detail);
	worker_post(worker, &message, NULL, 0);
	sd_event_exit(worker->event, 0);
}

static int handle_grace(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	worker_leave((struct worker *)user);
	return 0;
}

static void begin_end(struct worker *worker, uint32_t reason, uint32_t grace_ms) {
	if (worker->ending) {
		return;
	}
	worker->ending = true;
	worker->reason = reason;
	if (!worker->class->stop || !worker->started) {
		worker_leave(worker);
		return;
	}
	sd_event_add_time_relative(worker->event, &worker->grace, CLOCK_MONOTONIC,
			grace_ms * US_PER_MS, 1000, handle_grace, worker);
	worker->class->stop(worker, reason);
}

enum {
	END_GRACE_MS = 500,
};

void worker_fail(struct worker *worker, enum reason reason, const char *detail, ...) {
	va_list args;
	va_start(args, detail);
	set_detail(worker, detail, args);
	va_end(args);
	log_error("failure", "reason=%s detail=%s", reason_row(reason)->name,
			log_quote(worker->detail).text);
	struct ipc_message message = { .kind = IPC_FAILURE, .failure.reason = reason };
	text_copy(message.failure.detail, sizeof(message.failure.detail), worker->detail);
	worker_post(worker, &message, NULL, 0);
}

void worker_end(struct worker *worker, enum reason reason, const char *detail, ...) {
	va_list args;
	va_start(args, detail);
	set_detail(worker, detail, args);
	va_end(args);
	begin_end(worker, reason, END_GRACE_MS);
}

static void handle_start(struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	if (worker->started) {
		worker_end(worker, REASON_WORKER_LIED, "a second start");
		return;
	}
	int fd = fds_take(fds, 0);
	if (pulse_map(fd, &worker->pulse) < 0) {
		fd_close(fd);
		worker_end(worker, REASON_RESOURCES, "the pulse page cannot be mapped");
		return;
	}
	crash_watch(worker->crash, worker->pulse);
	worker->grace = sd_event_source_disable_unref(worker->grace);
	worker->started = true;
	worker->id = message->start.worker;
	worker->session = message->start.session;
	text_copy(worker->name, sizeof(worker->name), message->start.name);
	log_set_level((enum log_level)message->start.log_level);
	int settled = settle();
	if (settled < 0) {
		worker_end(worker, REASON_NOT_CONFINED, "cannot be confined: %s",
				strerror(-settled));
		return;
	}
	log_info("worker-start", "worker=%u name=%s", worker->id, log_quote(worker->name).text);
	int rc = worker->class->start ? worker->class->start(worker) : 0;
	if (rc < 0) {
		worker_end(worker, REASON_RESOURCES, "start: %s", strerror(-rc));
	}
}

/* The supervisor is a new one. It hears again how far we are, then who we are and
 * how many orders of its predecessor arrived: so it knows whether one was missed. */
static void handle_who(struct worker *worker) {
	said_repeat(&worker->said, &worker->channel);
	if (worker->class->asked && worker->started && !worker->ending) {
		worker->class->asked(worker);
	}
	struct ipc_message message = {
		.kind = IPC_I_AM,
		.i_am = { .worker = worker->id,
				.session = worker->session,
				.heard = worker->heard,
				.ending = worker->ending,
				.reason = worker->reason },
	};
	worker_post(worker, &message, NULL, 0);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	struct worker *worker = (struct worker *)channel->user;
	if (message->kind == IPC_START) {
		handle_start(worker, message, fds);
	} else if (message->kind == IPC_POKE) {
		atomic_store_explicit(
				&worker->pulse->poked, message->poke.number, memory_order_relaxed);
	} else if (message->kind == IPC_STOP) {
		begin_end(worker, message->stop.reason, message->stop.grace_ms);
	} else if (message->kind == IPC_WHO) {
		handle_who(worker);
	} else if (worker->started && (!worker->ending || worker->class->to_the_end)) {
		worker->heard++;
		if (obey_handle(worker, message)) {
			return;
		}
		worker->class->message(worker, message, fds);
	}
}

static void handle_closed(struct channel *channel, int error) {
	struct worker *worker = (struct worker *)channel->user;
	log_error("supervisor-gone", "error=%d", error);
	/* Its holder, too: a supervisor's death alone closes nothing. */
	begin_end(worker, REASON_SHUTDOWN, END_GRACE_MS);
}

static int handle_start_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct worker *worker = (struct worker *)user;
	log_error("start-overdue", "");
	sd_event_exit(worker->event, WORKER_OVERDUE_EXIT);
	return 0;
}

static int handle_terminate(
		sd_event_source *source, const struct signalfd_siginfo *info, void *user) {
	(void)source;
	(void)info;
	begin_end((struct worker *)user, REASON_SHUTDOWN, END_GRACE_MS);
	return 0;
}

static void note_lag(struct worker *worker, uint64_t now_ns) {
	uint64_t lag_ns = worker->woken_ns ? now_ns - worker->woken_ns : 0;
	if (lag_ns > atomic_load_explicit(&worker->pulse->lag_max_ns, memory_order_relaxed)) {
		atomic_store_explicit(&worker->pulse->lag_max_ns, lag_ns, memory_order_relaxed);
	}
}

void worker_will_wait(struct worker *worker) {
	uint64_t now_ns = clock_now_ns();
	pulse_report_slow(worker->pulse);
	note_lag(worker, now_ns);
	worker->woken_ns = 0;
	atomic_store_explicit(&worker->pulse->operation_deadline_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&worker->pulse->operation_begin_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&worker->pulse->operation, PULSE_IDLE, memory_order_release);
}

void worker_has_woken(struct worker *worker) {
	uint64_t now_ns = clock_now_ns();
	pulse_report_slow(worker->pulse);
	note_lag(worker, now_ns);
	worker->woken_ns = now_ns;
	atomic_fetch_add_explicit(&worker->pulse->beats, 1, memory_order_relaxed);
	pulse_begin(worker->pulse, PULSE_LOOP, WORKER_LOOP_LIMIT_MS);
}

bool worker_dispatch(struct worker *worker) {
	while (sd_event_get_state(worker->event) != SD_EVENT_FINISHED) {
		int rc = sd_event_run(worker->event, 0);
		if (rc <= 0) {
			break;
		}
		worker_has_woken(worker);
	}
	return sd_event_get_state(worker->event) != SD_EVENT_FINISHED;
}

/* A loop that always finds something to do never waits: each event it handles is
 * a beat and an operation of its own, or being busy would look like hanging. */
static int run_once(struct worker *worker) {
	int rc = sd_event_prepare(worker->event);
	if (rc == 0) {
		worker_will_wait(worker);
		rc = sd_event_wait(worker->event, UINT64_MAX);
	}
	worker_has_woken(worker);
	if (rc > 0) {
		rc = sd_event_dispatch(worker->event);
	}
	return rc;
}

int worker_run(struct worker *worker) {
	int rc = 0;
	while (rc >= 0 && sd_event_get_state(worker->event) != SD_EVENT_FINISHED) {
		rc = run_once(worker);
	}
	int code = 1;
	sd_event_get_exit_code(worker->event, &code);
	log_info("worker-end", "worker=%u reason=%s code=%d ran_ms=%llu beats=%llu lag_max_us=%llu",
			worker->id, reason_row(worker->reason)->name, code,
			(unsigned long long)((clock_now_ns() - worker->begun_ns) / NS_PER_MS),
			(unsigned long long)worker->pulse->beats,
			(unsigned long long)(worker->pulse->lag_max_ns / NS_PER_US));
	return code;
}

static void say_hello(struct worker *worker) {
	struct ipc_message hello = {
		.kind = IPC_HELLO,
		.hello = {
			.version = IPC_VERSION,
			.peer = (uint8_t)worker->class->kind,
			.pid = (uint32_t)getpid(),
			.pulse_layout = PULSE_LAYOUT,
			.pool_layout = POOL_LAYOUT,
			.ring_layout = RING_LAYOUT,
			.page_layout = PAGE_LAYOUT,
		},
	};
	text_copy(hello.hello.build, sizeof(hello.hello.build), perigee_version());
	worker_post(worker, &hello, NULL, 0);
}

/* A real-time process that computes without ever waiting (RLIMIT_RTTIME) becomes
 * one like others, so that those who judge it get to run. */
static void handle_excess(int number) {
	(void)number;
	struct sched_param param = { .sched_priority = 0 };
	sched_setscheduler(0, SCHED_OTHER, &param);
}

static int prepare_signals(struct worker *worker) {
	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	settle_tell_refusals();
	signal(SIGXCPU, handle_excess);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return sd_event_add_signal(
			worker->event, &worker->sources[0], SIGTERM, handle_terminate, worker);
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

int worker_open(struct worker *worker, const struct worker_class *class, void *user) {
	*worker = (struct worker){
		.class = class,
		.user = user,
		.channel.fd = -1,
		.pulse = pulse_private(),
		.begun_ns = clock_now_ns(),
	};
	spawn_take_name();
	int flags = fcntl(WORKER_CHANNEL_FD, F_GETFD);
	if (flags < 0 || fcntl(WORKER_CHANNEL_FD, F_SETFD, flags | FD_CLOEXEC) < 0) {
		return -errno;
	}
	int rc = crash_open(&worker->crash);
	if (rc >= 0) {
		rc = sd_event_new(&worker->event);
	}
	if (rc >= 0) {
		rc = prepare_signals(worker);
	}
	if (rc >= 0) {
		rc = channel_open(&worker->channel, worker->event, WORKER_CHANNEL_FD, class->kind,
				PEER_SUPERVISOR, &channel_events, worker);
		worker->channel.drain_ms = WORKER_PATIENCE_MS;
	}
	if (rc >= 0) {
		rc = sd_event_add_time_relative(worker->event, &worker->grace, CLOCK_MONOTONIC,
				WORKER_START_MS * US_PER_MS, 1000, handle_start_overdue, worker);
	}
	if (rc < 0) {
		return rc;
	}
	say_hello(worker);
	return 0;
}
