/* SPDX-License-Identifier: MIT */
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/child_inside.h"
#include "supervisor/judge.h"
#include "supervisor/threads.h"

enum {
	WATCH_STARVED_MS = 250,
	WATCH_LATE_MS = 200,       /* of a round, from which on it is said */
	WATCH_MARK_MS = 1000,      /* between two marks of a sound server */
	WATCH_TERM_LEAST_MS = 20,  /* less is no time to do anything in */
	WATCH_TERM_AGAIN_MS = 100, /* from one look to the next, at the least */
	WATCH_TERM_MAX_MS = 10000, /* for one that gets no processor */
};

/* How long a poke may stay unanswered. Quick: whose silence is felt by everybody, or at once. */
static uint32_t deaf_ms(enum ipc_peer kind) {
	static const uint32_t rows[PEER_KINDS] = {
		[PEER_GATE] = JUDGE_DEAF_QUICK_MS,
		[PEER_WEB] = JUDGE_DEAF_QUICK_MS,
		[PEER_STORE] = JUDGE_DEAF_QUICK_MS,
		[PEER_STREAM] = JUDGE_DEAF_QUICK_MS,
		[PEER_DESKTOP] = JUDGE_DEAF_DESKTOP_MS,
	};
	return rows[kind] ? rows[kind] : JUDGE_DEAF_MS;
}

static void poke(struct child *child) {
	struct ipc_message message = { .kind = IPC_POKE, .poke.number = child->judge.poke };
	channel_post(&child->channel, &message, NULL, 0);
}

static void sample(const struct child *child, struct judge_view *view) {
	struct threads threads;
	if (judge_wants_sample(&child->judge, view) && threads_look(child->pid, &threads) == 0) {
		view->sampled = threads.timed;
		view->runnable = threads.runnable;
		view->run_ns = threads.run_ns;
		view->wait_ns = threads.wait_ns;
	}
}

static void found_hung(struct child *child, const char *detail) {
	child->nursery->hung++;
	child_fence(child, REASON_WORKER_HUNG, detail);
}

/* Said once for each operation or poke that only its being starved excuses. */
static void note_starved(struct child *child) {
	bool starved = child->judge.starved_ns > WATCH_STARVED_MS * NS_PER_MS;
	if (starved && !child->starved) {
		child->nursery->starved++;
		log_info("worker-starved", "worker=%u kind=%s pid=%d session=%016llx wait_ms=%llu",
				child->id, ipc_peer_name(child->kind), child->pid,
				(unsigned long long)child->session,
				(unsigned long long)(child->judge.starved_ns / NS_PER_MS));
	}
	child->starved = starved;
}

/* ---- those that answer nobody ---- */

static struct judge_mark mark(const struct child *child) {
	const struct fence_hands *hands = child->nursery->hands;
	struct judge_mark mark = { .now_ns = clock_now_ns() };
	struct threads threads;
	if ((hands && hands->look ? hands->look : threads_look)(child->pid, &threads) == 0) {
		mark.sampled = threads.timed;
		mark.runnable = threads.runnable;
		mark.run_ns = threads.run_ns;
		mark.wait_ns = threads.wait_ns;
	}
	return mark;
}

static void mark_sound(struct child *child, uint64_t now_ns) {
	if (now_ns - child->marks[1].now_ns >= WATCH_MARK_MS * NS_PER_MS) {
		child->marks[0] = child->marks[1];
		child->marks[1] = mark(child);
	}
}

bool child_is_kept_waiting(struct child *child) {
	const struct judge_mark *then = &child->marks[0];
	struct judge_mark now = mark(child);
	uint64_t passed_ns = now.now_ns - then->now_ns;
	if (then->now_ns == 0 || !then->sampled || !now.sampled ||
			judge_could_run_ns(then, &now, passed_ns) >= passed_ns / 2) {
		return false;
	}
	child->nursery->starved++;
	log_info("worker-starved", "worker=%u kind=%s pid=%d session=%016llx of_ms=%llu", child->id,
			ipc_peer_name(child->kind), child->pid, (unsigned long long)child->session,
			(unsigned long long)(passed_ns / NS_PER_MS));
	return true;
}

/* ---- what must be done in time ---- */

void watch_term_over(struct child_term *term) {
	term->timer = sd_event_source_disable_unref(term->timer);
}

static int arm(struct child *child, struct child_term *term, sd_event_time_handler_t handler) {
	uint64_t wait_us = term->left_ns / NS_PER_US;
	if (wait_us < WATCH_TERM_AGAIN_MS * US_PER_MS) {
		wait_us = WATCH_TERM_AGAIN_MS * US_PER_MS;
	}
	term->mark = mark(child);
	watch_term_over(term);
	return sd_event_add_time_relative(child->nursery->event, &term->timer, CLOCK_MONOTONIC,
			wait_us, 10 * US_PER_MS, handler, child);
}

static int begin(struct child *child, struct child_term *term, uint32_t within_ms,
		sd_event_time_handler_t handler) {
	term->left_ns = within_ms * NS_PER_MS;
	term->limit_ns = clock_now_ns() + (within_ms + WATCH_TERM_MAX_MS) * NS_PER_MS;
	return arm(child, term, handler);
}

/* We may be late as well, and it had no more time than we: only what it had been given counts.
 * False: it has more, and the handler is called again. */
static bool is_over(struct child *child, struct child_term *term, sd_event_time_handler_t handler) {
	struct judge_mark now = mark(child);
	term->left_ns -= judge_could_run_ns(&term->mark, &now, term->left_ns);
	return term->left_ns < WATCH_TERM_LEAST_MS * NS_PER_MS || now.now_ns >= term->limit_ns ||
	       arm(child, term, handler) < 0;
}

static int handle_end_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct child *child = (struct child *)user;
	if (is_over(child, &child->ending, handle_end_overdue)) {
		child_fence(child, REASON_WORKER_HUNG, "did not stop in time");
	}
	return 0;
}

int watch_end(struct child *child, uint32_t within_ms) {
	if (child->exited) {
		return 0; /* who reaps it will say so */
	}
	return begin(child, &child->ending, within_ms, handle_end_overdue);
}

/* What we have not read yet, because we were late, was said in time. */
static bool has_spoken(const struct child *child) {
	struct pollfd channel = { .fd = child->channel.fd, .events = POLLIN };
	return poll(&channel, 1, 0) > 0 && (channel.revents & POLLIN);
}

static int handle_greeting_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct child *child = (struct child *)user;
	struct child_term *term = &child->greeting;
	if (is_over(child, term, handle_greeting_overdue) &&
			(!has_spoken(child) || clock_now_ns() >= term->limit_ns ||
					arm(child, term, handle_greeting_overdue) < 0)) {
		child_fence(child, REASON_START_OVERDUE,
				child->hello ? "does not say who it is" : "said no hello in time");
	}
	return 0;
}

int watch_greeting(struct child *child) {
	uint32_t within_ms = child->nursery->hello_ms;
	return begin(child, &child->greeting, within_ms ? within_ms : CHILD_HELLO_MS,
			handle_greeting_overdue);
}

/* ---- those that have a pulse ---- */

void watch_crash(struct child *child) {
	struct pulse_view pulse = { 0 };
	if (child->phase == CHILD_LIVING && child->pulse.map) {
		pulse_look(child_pulse(child), &pulse);
	}
	if (pulse.crash_signal != 0) {
		char detail[120];
		text_format(detail, sizeof(detail), "crashed: signal %u (%s), address 0x%llx",
				pulse.crash_signal,
				pulse.crash_signal < NSIG ? strsignal((int)pulse.crash_signal)
							  : "?",
				(unsigned long long)pulse.crash_address);
		child->crashed = true;
		child_fence(child, child_death_reason(child->kind), detail);
	}
}

static void watch(struct child *child, uint64_t now_ns) {
	if (child->kind == PEER_SOUND) {
		mark_sound(child, now_ns);
	}
	if (!child->hello || child->stopping || child->killed || child->phase != CHILD_LIVING ||
			!child->pulse.map || !channel_is_open(&child->channel)) {
		return;
	}
	struct pulse_view pulse;
	pulse_look(child_pulse(child), &pulse);
	struct judge_view view = {
		.now_ns = now_ns,
		.beats = pulse.beats,
		.poked = pulse.poked,
		.begin_ns = pulse.operation_begin_ns,
		.deadline_ns = pulse.operation_deadline_ns,
		.crashed = pulse.crash_signal != 0,
	};
	sample(child, &view);
	char detail[120];
	switch (judge_step(&child->judge, &view, deaf_ms(child->kind))) {
	case JUDGE_POKE:
		poke(child);
		break;
	case JUDGE_OVERDUE:
		text_format(detail, sizeof(detail), "operation %s outlived its deadline",
				pulse_operation_name(pulse.operation));
		found_hung(child, detail);
		break;
	case JUDGE_CRASHED:
		watch_crash(child);
		break;
	case JUDGE_DEAF:
		found_hung(child, "does not answer a poke");
		break;
	default:
		note_starved(child);
		break;
	}
}

static int handle_watch(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct nursery *nursery = (struct nursery *)user;
	uint64_t now_ns = clock_now_ns();
	uint64_t late_ns = now_ns - nursery->watched_ns - CHILD_WATCH_MS * NS_PER_MS;
	if (late_ns > WATCH_LATE_MS * NS_PER_MS && late_ns < UINT64_MAX / 2) {
		nursery->late++;
		log_warning("supervisor-late", "late_ms=%llu",
				(unsigned long long)(late_ns / NS_PER_MS));
	}
	nursery->watched_ns = now_ns;
	for (struct child *child = nursery->first; child; child = child->next) {
		watch(child, now_ns);
	}
	if (nursery->thinned) {
		/* What came and went with them leaves holes in the heap among what stays, and
		 * what comes next need not fit into them. This takes about 0.1 ms. */
		nursery->thinned = false;
		malloc_trim(0);
	}
	sd_event_source_set_time_relative(source, CHILD_WATCH_MS * US_PER_MS);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int nursery_open(struct nursery *nursery) {
	nursery->watched_ns = clock_now_ns();
	return sd_event_add_time_relative(nursery->event, &nursery->watch, CLOCK_MONOTONIC,
			CHILD_WATCH_MS * US_PER_MS, 10 * US_PER_MS, handle_watch, nursery);
}

void nursery_close(struct nursery *nursery) {
	nursery->watch = sd_event_source_disable_unref(nursery->watch);
}
