/* SPDX-License-Identifier: MIT */
#include "supervisor/restarts.h"

#include <string.h>

unsigned restarts_recent(const struct restarts *restarts, uint64_t now_ms) {
	unsigned recent = 0;
	while (recent < RESTARTS_KEPT && restarts->at_ms[recent] &&
			now_ms - restarts->at_ms[recent] < RESTARTS_WINDOW_MS) {
		recent++;
	}
	return recent;
}

bool restarts_failed(struct restarts *restarts, const struct restarts_rule *rule, uint32_t reason,
		uint64_t now_ms, uint32_t *out_wait_ms) {
	memmove(restarts->at_ms + 1, restarts->at_ms,
			sizeof(restarts->at_ms) - sizeof(restarts->at_ms[0]));
	restarts->at_ms[0] = now_ms ? now_ms : 1;
	restarts->recent = restarts_recent(restarts, now_ms);
	restarts->total++;
	restarts->reason = reason;
	restarts->next_ms = 0;
	restarts->given_up = restarts->recent > rule->most;
	if (restarts->given_up) {
		return false;
	}
	uint64_t wait_ms = 0;
	if (restarts->recent > rule->at_once) {
		wait_ms = (uint64_t)rule->first_ms << (restarts->recent - rule->at_once - 1);
		wait_ms = wait_ms < rule->wait_max_ms ? wait_ms : rule->wait_max_ms;
	}
	restarts->next_ms = wait_ms ? now_ms + wait_ms : 0;
	*out_wait_ms = (uint32_t)wait_ms;
	return true;
}

void restarts_tried(struct restarts *restarts) {
	restarts->next_ms = 0;
}

bool restarts_refused(struct restarts *refusals, uint32_t reason, uint64_t now_ms) {
	static const struct restarts_rule rule = { .at_once = RESTARTS_REFUSALS - 1,
		.most = RESTARTS_REFUSALS - 1 };
	uint32_t wait_ms;
	if (restarts_failed(refusals, &rule, reason, now_ms, &wait_ms)) {
		return false;
	}
	*refusals = (struct restarts){ .total = refusals->total, .reason = reason };
	return true;
}
