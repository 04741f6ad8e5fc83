/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/child_inside.h"

/* How long a poke may stay unanswered: architecture section 6. */
static uint64_t poke_limit_ns(enum ipc_peer kind) {
	bool quick = kind == PEER_GATE || kind == PEER_WEB || kind == PEER_STORE ||
		     kind == PEER_STREAM;
	return (quick ? 700 : 1700) * NS_PER_MS;
}

static void poke(struct child *child, uint64_t now_ns) {
	struct ipc_message message = { .kind = IPC_POKE, .poke.number = ++child->poke };
	child->poke_ns = now_ns;
	channel_post(&child->channel, &message, NULL, 0);
}

static void watch(struct child *child, uint64_t now_ns) {
	if (!child->hello || child->stopping || child->killed || child->phase != CHILD_LIVING ||
			!child->pulse.map || !channel_is_open(&child->channel)) {
		return;
	}
	struct pulse_view view;
	pulse_look(child_pulse(child), &view);
	if (pulse_is_overdue(&view, now_ns)) {
		char detail[120];
		text_format(detail, sizeof(detail), "operation %s outlived its deadline",
				pulse_operation_name(view.operation));
		child->nursery->hung++;
		child_fence(child, REASON_WORKER_HUNG, detail);
		return;
	}
	bool announced = view.operation_deadline_ns != 0;
	if (view.beats != child->beats || announced) {
		child->beats = view.beats;
		child->beats_ns = now_ns;
	}
	if (child->poke_ns && view.poked >= child->poke) {
		child->poke_ns = 0;
	}
	if (child->poke_ns && !announced && now_ns - child->poke_ns > poke_limit_ns(child->kind)) {
		child->nursery->hung++;
		child_fence(child, REASON_WORKER_HUNG, "does not answer a poke");
	} else if (!child->poke_ns && now_ns - child->beats_ns > CHILD_POKE_AFTER_MS * NS_PER_MS) {
		poke(child, now_ns);
	}
}

/* A round that comes late says nothing about the children: the supervisor itself
 * was not scheduled, and they may not have been either. */
static int handle_watch(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct nursery *nursery = (struct nursery *)user;
	uint64_t now_ns = clock_now_ns();
	bool late = now_ns - nursery->watched_ns > 3 * CHILD_WATCH_MS * NS_PER_MS;
	nursery->watched_ns = now_ns;
	for (struct child *child = nursery->first; child; child = child->next) {
		if (late) {
			child->beats_ns = now_ns;
			if (child->poke_ns) {
				child->poke_ns = now_ns;
			}
		} else {
			watch(child, now_ns);
		}
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
