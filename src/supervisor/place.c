/* SPDX-License-Identifier: MIT */
#include "supervisor/place.h"

#include "base/clock.h"
#include "base/log.h"
#include "ipc/reason.h"

void place_missed(struct place *place) {
	if (place->down_ms == 0) {
		place->down_ms = clock_now_ms();
	}
}

void place_serves(struct place *place, const struct place_name *name) {
	if (place->down_ms == 0 || !place->child) {
		return;
	}
	log_info("part-replaced", "session=%016llx part=%s took_ms=%llu times=%u",
			(unsigned long long)name->session, name->part,
			(unsigned long long)(clock_now_ms() - place->down_ms),
			place->restarts.total);
	place->down_ms = 0;
}

static bool give_up(const struct place *place, const struct place_name *name, uint32_t reason) {
	log_error("part-given-up", "session=%016llx part=%s reason=%s times=%u",
			(unsigned long long)name->session, name->part, reason_row(reason)->name,
			place->restarts.recent);
	return false;
}

bool place_failed(struct place *place, struct sd_event *event, const struct restarts_rule *rule,
		const struct place_name *name, uint32_t reason, sd_event_time_handler_t handler,
		void *user) {
	uint32_t wait_ms = 0;
	if (!restarts_failed(&place->restarts, rule, reason, clock_now_ms(), &wait_ms)) {
		return give_up(place, name, reason);
	}
	log_warning("part-lost", "session=%016llx part=%s reason=%s times=%u wait_ms=%u",
			(unsigned long long)name->session, name->part, reason_row(reason)->name,
			place->restarts.recent, wait_ms);
	/* Also at once: from the loop, so that nobody is surprised by it in the middle
	 * of something else. */
	sd_event_source_disable_unref(place->retry);
	place->retry = NULL;
	if (sd_event_add_time_relative(event, &place->retry, CLOCK_MONOTONIC, wait_ms * US_PER_MS,
			    1000, handler, user) < 0) {
		return give_up(place, name, REASON_RESOURCES);
	}
	return true;
}

void place_release(struct place *place, const struct child_owner *owner, void *user,
		uint32_t reason, uint32_t grace_ms) {
	place->retry = sd_event_source_disable_unref(place->retry);
	struct child *child = TAKE(place->child, NULL);
	if (child) {
		child->owner = owner;
		child->user = user;
		child_stop(child, reason, grace_ms);
	}
}
