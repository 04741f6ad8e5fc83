/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/reason.h"
#include "supervisor/child_inside.h"
#include "supervisor/evidence.h"
#include "supervisor/threads.h"
#include "supervisor/totals.h"

/* A group is stopped when its last thread is; one that sits in a driver keeps going. */
static bool is_stopped(pid_t pid) {
	struct threads threads;
	int rc = threads_look(pid, &threads);
	return rc == -ENOENT || (rc == 0 && threads.stopped == threads.count);
}

static void tell(const struct child *child, int number) {
	const struct fence_hands *hands = child->nursery->hands;
	if (hands && hands->send) {
		hands->send(child->pid, number);
	} else {
		child_signal(child, number);
	}
}

static bool has_stopped(const struct child *child) {
	const struct fence_hands *hands = child->nursery->hands;
	return hands && hands->is_stopped ? hands->is_stopped(child->pid) : is_stopped(child->pid);
}

static bool is_awaited(const struct child *child) {
	return child->phase == CHILD_CORPSE && !child->end.written_off;
}

void nursery_link(struct nursery *nursery, struct child *child) {
	bool corpse = child->phase == CHILD_CORPSE;
	struct child **list = corpse ? &nursery->corpses : &nursery->first;
	child->next = *list;
	*list = child;
	nursery->count += !corpse;
	nursery->corpses_count += is_awaited(child);
}

void nursery_unlink(struct nursery *nursery, struct child *child) {
	bool corpse = child->phase == CHILD_CORPSE;
	struct child **at = corpse ? &nursery->corpses : &nursery->first;
	while (*at && *at != child) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = child->next;
		nursery->count -= !corpse;
		nursery->corpses_count -= is_awaited(child);
	}
}

static int handle_kill_overdue(sd_event_source *source, uint64_t usec, void *user);

static void set_timer(struct child *child, uint64_t after_ms, sd_event_time_handler_t handler) {
	sd_event_source_disable_unref(child->fence_timer);
	child->fence_timer = NULL;
	sd_event_add_time_relative(child->nursery->event, &child->fence_timer, CLOCK_MONOTONIC,
			after_ms * US_PER_MS, 500, handler, child);
}

static void end_corpse(struct child *child) {
	child->killed = true;
	child_note_change(child);
	tell(child, SIGKILL);
	set_timer(child, FENCE_GONE_MS, handle_kill_overdue);
}

/* The child leaves its owner's hands; written_off: although it may still run. True when
 * somebody looks at the corpse: fence_release() will follow. */
static bool become_corpse(struct child *child, bool written_off) {
	static const struct child_owner nobody = { 0 };
	struct nursery *nursery = child->nursery;
	struct child_end *end = &child->end;
	child_drain(child);
	channel_close(&child->channel);
	watch_term_over(&child->greeting);
	watch_term_over(&child->ending);
	nursery_unlink(nursery, child);
	child->phase = CHILD_CORPSE;
	end->fenced = true;
	end->written_off = written_off;
	end->status = 0;
	nursery_link(nursery, child);
	child_note_change(child);
	child_settle_end(child);
	nursery->fenced += !written_off;
	nursery->written_off += written_off;
	nursery->lost += !end->expected;
	totals_note_end(nursery->totals, child, end);
	log_line(written_off ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			written_off ? "worker-written-off" : "worker-fenced",
			"worker=%u kind=%s pid=%d session=%016llx reason=%s detail=%s took_us=%llu",
			child->id, ipc_peer_name(child->kind), child->pid,
			(unsigned long long)child->session, reason_row(end->reason)->name,
			log_quote(end->detail).text,
			(unsigned long long)((clock_now_ns() - child->fenced_ns) / NS_PER_US));
	/* Before the owner hears of it: it may forget the keys that must not be seen. */
	bool looked_at = nursery->evidence && !end->expected &&
			 evidence_incident(nursery->evidence, child);
	const struct child_owner *owner = child->owner;
	child->owner = &nobody;
	if (owner->ended) {
		owner->ended(child, end);
	}
	child->user = NULL;
	return looked_at;
}

void fence_release(struct child *child) {
	struct evidence *evidence = child->nursery->evidence;
	if (evidence->keep_hung && !child->nursery->burying && !child->killed &&
			evidence->kept_corpses < EVIDENCE_KEPT_CORPSES) {
		evidence->kept_corpses++;
		child->kept = true;
		log_warning("corpse-kept", "worker=%u kind=%s pid=%d", child->id,
				ipc_peer_name(child->kind), child->pid);
	} else if (!child->killed) {
		end_corpse(child);
	}
}

/* SIGKILL has not ended it: it sits in the kernel and may come back to itself. Nobody
 * waits for it any longer; should it go, its exit is logged like any other. */
static int handle_kill_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct child *child = (struct child *)user;
	struct nursery *nursery = child->nursery;
	child->fence_timer = sd_event_source_disable_unref(child->fence_timer);
	if (child->phase != CHILD_CORPSE) {
		(void)become_corpse(child, true);
		return 0;
	}
	if (!child->end.written_off) {
		child->end.written_off = true;
		nursery->corpses_count--;
		nursery->written_off++;
		log_error("worker-written-off", "worker=%u kind=%s pid=%d session=%016llx",
				child->id, ipc_peer_name(child->kind), child->pid,
				(unsigned long long)child->session);
		if (nursery->corpse_gone) {
			nursery->corpse_gone(nursery->user);
		}
	}
	return 0;
}

static int handle_fence_check(sd_event_source *source, uint64_t usec, void *user) {
	(void)usec;
	struct child *child = (struct child *)user;
	uint64_t waited_ns = clock_now_ns() - child->fenced_ns;
	bool stopped = has_stopped(child);
	if (!stopped && waited_ns < FENCE_STOP_MS * NS_PER_MS) {
		sd_event_source_set_time_relative(source, FENCE_CHECK_MS * US_PER_MS);
		return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	}
	if (!become_corpse(child, !stopped)) {
		end_corpse(child);
	}
	return 0;
}

static void note_reason(struct child *child, uint32_t reason, const char *detail) {
	if (child->end.reason == REASON_NONE && !child->stopping) {
		child->end.reason = reason;
		text_copy(child->end.detail, sizeof(child->end.detail), detail);
	}
}

void child_kill(struct child *child, uint32_t reason, const char *detail) {
	if (!child || child->killed || child->reaped || child->phase == CHILD_CORPSE) {
		return;
	}
	note_reason(child, reason, detail);
	log_warning("worker-kill", "worker=%u kind=%s pid=%d reason=%s detail=%s", child->id,
			ipc_peer_name(child->kind), child->pid, reason_row(reason)->name,
			log_quote(detail).text);
	child->fenced_ns = clock_now_ns();
	end_corpse(child);
}

void child_fence(struct child *child, uint32_t reason, const char *detail) {
	if (!child || child->killed || child->reaped || child->phase != CHILD_LIVING) {
		return;
	}
	if (child->nursery->burying) {
		child_kill(child, reason, detail);
		return;
	}
	note_reason(child, reason, detail);
	log_warning("worker-fence", "worker=%u kind=%s pid=%d session=%016llx reason=%s detail=%s",
			child->id, ipc_peer_name(child->kind), child->pid,
			(unsigned long long)child->session, reason_row(reason)->name,
			log_quote(detail).text);
	child->phase = CHILD_FENCING;
	child->fenced_ns = clock_now_ns();
	child_note_change(child);
	tell(child, SIGSTOP);
	/* From the loop: whoever judges it may be in the middle of its messages. */
	set_timer(child, 0, handle_fence_check);
}

void nursery_bury(struct nursery *nursery) {
	nursery->burying = true;
	if (nursery->evidence) {
		evidence_close(nursery->evidence);
	}
	for (struct child *child = nursery->corpses; child; child = child->next) {
		if (!child->killed) {
			end_corpse(child);
		}
	}
}
