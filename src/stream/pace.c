/* SPDX-License-Identifier: MIT */
#include "stream/pace.h"

#include "base/clock.h"

void pace_init(struct pace *pace, uint32_t ceiling_kbps, uint32_t rate_x100) {
	uint64_t line = (uint64_t)PACE_OVER_RATE * (ceiling_kbps ? ceiling_kbps : 20000);
	*pace = (struct pace){
		.line_kbps = line < PACE_LINE_MAX * 1000 ? line : PACE_LINE_MAX * 1000,
		.spread_max_ns = 100 * NS_PER_S / (rate_x100 ? rate_x100 : 6000) / 2,
	};
}

void pace_begin(struct pace *pace, uint32_t datagrams, uint32_t datagram_size, uint64_t now_ns) {
	uint64_t rest = datagrams > PACE_BURST ? datagrams - PACE_BURST : 0;
	uint64_t spread = rest * datagram_size * 8 * NS_PER_MS / pace->line_kbps;
	pace->total = datagrams;
	pace->begin_ns = now_ns;
	pace->spread_ns = spread < pace->spread_max_ns ? spread : pace->spread_max_ns;
}

uint32_t pace_allowed(const struct pace *pace, uint64_t now_ns) {
	uint64_t elapsed = now_ns > pace->begin_ns ? now_ns - pace->begin_ns : 0;
	if (pace->total <= PACE_BURST || elapsed >= pace->spread_ns) {
		return pace->total;
	}
	return PACE_BURST + (uint32_t)((pace->total - PACE_BURST) * elapsed / pace->spread_ns);
}

uint64_t pace_next_ns(const struct pace *pace, uint32_t sent) {
	uint64_t goal = sent + PACE_STEP < pace->total ? sent + PACE_STEP : pace->total;
	if (goal <= PACE_BURST) {
		return pace->begin_ns;
	}
	uint64_t rest = pace->total - PACE_BURST;
	return pace->begin_ns + ((goal - PACE_BURST) * pace->spread_ns + rest - 1) / rest;
}
