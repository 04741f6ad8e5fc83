/* SPDX-License-Identifier: MIT */
#include "supervisor/deferred.h"

#include <string.h>

#include <systemd/sd-event.h>

#include "base/clock.h"
#include "supervisor/session.h"
#include "supervisor/supervisor.h"

static void arm(struct deferred *deferred);

static struct ipc_message take_first(struct deferred *deferred) {
	struct ipc_message first = deferred->list[0];
	deferred->count--;
	memmove(deferred->list, deferred->list + 1, deferred->count * sizeof(deferred->list[0]));
	memmove(deferred->deadline_ms, deferred->deadline_ms + 1,
			deferred->count * sizeof(deferred->deadline_ms[0]));
	explicit_bzero(&deferred->list[deferred->count], sizeof(deferred->list[0]));
	return first;
}

static int handle_overdue(sd_event_source *source, uint64_t usec, void *user) {
	(void)source;
	(void)usec;
	struct deferred *deferred = (struct deferred *)user;
	while (deferred->count > 0 && deferred->deadline_ms[0] <= clock_now_ms()) {
		struct ipc_message launch = take_first(deferred);
		session_refuse_launch(deferred->supervisor, &launch, REASON_LAUNCH_PENDING, NULL);
		secret_wipe(&launch.launch.key);
	}
	arm(deferred);
	return 0;
}

static void arm(struct deferred *deferred) {
	if (!deferred->timer) {
		sd_event_add_time(deferred->supervisor->event, &deferred->timer, CLOCK_MONOTONIC,
				UINT64_MAX, 10 * US_PER_MS, handle_overdue, deferred);
	}
	if (deferred->timer && deferred->count > 0) {
		sd_event_source_set_time(deferred->timer, deferred->deadline_ms[0] * US_PER_MS);
	}
	if (deferred->timer) {
		sd_event_source_set_enabled(deferred->timer,
				deferred->count > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
	}
}

bool deferred_add(struct deferred *deferred, const struct ipc_message *launch) {
	if (deferred->count == DEFERRED_MAX) {
		return false;
	}
	deferred->list[deferred->count] = *launch;
	deferred->deadline_ms[deferred->count++] = clock_now_ms() + DEFERRED_WAIT_MS;
	arm(deferred);
	return true;
}

bool deferred_has(const struct deferred *deferred, uint32_t request) {
	unsigned i = 0;
	while (i < deferred->count && deferred->list[i].launch.request != request) {
		i++;
	}
	return i < deferred->count;
}

void deferred_retry(struct deferred *deferred) {
	/* One that must go on waiting comes back to the end with its old deadline. */
	unsigned count = deferred->count;
	for (unsigned i = 0; i < count; i++) {
		uint64_t deadline_ms = deferred->deadline_ms[0];
		unsigned before = deferred->count;
		struct ipc_message launch = take_first(deferred);
		session_handle_launch(deferred->supervisor, &launch);
		if (deferred->count == before) {
			deferred->deadline_ms[deferred->count - 1] = deadline_ms;
		}
		secret_wipe(&launch.launch.key);
	}
	arm(deferred);
}

void deferred_finish(struct deferred *deferred) {
	deferred->timer = sd_event_source_disable_unref(deferred->timer);
	explicit_bzero(deferred->list, sizeof(deferred->list));
	deferred->count = 0;
}
