/* SPDX-License-Identifier: MIT */
#include "cli/probe_check.h"

#include "base/clock.h"

enum {
	PAUSE_MIN_MS = 40,
	PAUSE_SPREAD_US = 100000,
};

/* Low discrepancy rather than random: few presses still meet every phase. */
static uint64_t pause_ns(struct probe_check *check) {
	check->seed += 61803;
	return PAUSE_MIN_MS * NS_PER_MS + check->seed % PAUSE_SPREAD_US * NS_PER_US;
}

void probe_check_add(struct probe_check *check, uint32_t presses, uint64_t now_ns) {
	if (check->left == 0 && !check->waits) {
		check->next_ns = now_ns;
	}
	check->left += presses;
}

void probe_check_finish(struct probe_check *check) {
	samples_finish(&check->arrived_ms);
	samples_finish(&check->decoded_ms);
}

uint64_t probe_check_deadline_ns(const struct probe_check *check) {
	return check->left || check->waits ? check->next_ns : UINT64_MAX;
}

bool probe_check_is_due(struct probe_check *check, uint16_t seen, uint64_t now_ns) {
	if (now_ns < check->next_ns) {
		return false;
	}
	if (check->waits) {
		check->waits = false;
		check->missed++;
	}
	if (check->left == 0) {
		return false;
	}
	check->left--;
	check->waits = true;
	check->base = seen;
	check->pressed_ns = now_ns;
	check->next_ns = now_ns + CHECK_LIMIT_MS * NS_PER_MS;
	return true;
}

void probe_check_see(struct probe_check *check, uint16_t seen, uint64_t arrived_ns,
		uint64_t decoded_ns) {
	if (!check->waits || seen == check->base || arrived_ns < check->pressed_ns) {
		return;
	}
	check->waits = false;
	samples_add(&check->arrived_ms, (double)(arrived_ns - check->pressed_ns) / 1e6);
	samples_add(&check->decoded_ms, (double)(decoded_ns - check->pressed_ns) / 1e6);
	check->next_ns = decoded_ns + pause_ns(check);
}
