/* SPDX-License-Identifier: MIT */
#include "proto/enet_peer.h"

/* The arithmetic is ENet's (peer.c enet_peer_throttle, protocol.c
 * enet_protocol_handle_acknowledge), so that both ends reckon alike. */

enum {
	RTT_GUESS_MS = 500,
	INTERVAL_MS = 5000,
	THROTTLE_STEP = 2,
	COUNTER_STEP = 7,
	ATTEMPTS_MAX = 2, /* the time-out limit clients set (ControlStream.c) */
	WINDOW_MIN = 4096,
	WINDOW_MAX = 65536,
};

static uint32_t least(uint32_t a, uint32_t b) {
	return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b) {
	return a > b ? a : b;
}

void enet_pace_init(struct enet_pace *pace) {
	*pace = (struct enet_pace){
		.rtt_ms = RTT_GUESS_MS,
		.lowest_rtt_ms = RTT_GUESS_MS,
		.last_rtt_ms = RTT_GUESS_MS,
		.interval_ms = INTERVAL_MS,
		.throttle = ENET_THROTTLE_FULL,
		.acceleration = THROTTLE_STEP,
		.deceleration = THROTTLE_STEP,
	};
}

void enet_pace_configure(struct enet_pace *pace, uint32_t interval_ms, uint32_t acceleration,
		uint32_t deceleration) {
	pace->interval_ms = interval_ms;
	pace->acceleration = (uint8_t)least(acceleration, ENET_THROTTLE_FULL);
	pace->deceleration = (uint8_t)least(deceleration, ENET_THROTTLE_FULL);
}

static void throttle(struct enet_pace *pace, uint32_t rtt_ms) {
	if (pace->last_rtt_ms <= pace->last_variance_ms) {
		pace->throttle = ENET_THROTTLE_FULL;
	} else if (rtt_ms <= pace->last_rtt_ms) {
		pace->throttle = (uint8_t)least(
				pace->throttle + pace->acceleration, ENET_THROTTLE_FULL);
	} else if (rtt_ms > pace->last_rtt_ms + 2 * pace->last_variance_ms) {
		pace->throttle = (uint8_t)(pace->throttle -
					   least(pace->throttle, pace->deceleration));
	}
}

void enet_pace_sample(struct enet_pace *pace, uint32_t rtt_ms, uint64_t now_ms) {
	rtt_ms = most(rtt_ms, 1);
	if (!pace->measured) {
		pace->measured = true;
		pace->rtt_ms = rtt_ms;
		pace->variance_ms = (rtt_ms + 1) / 2;
	} else {
		throttle(pace, rtt_ms);
		bool longer = rtt_ms >= pace->rtt_ms;
		uint32_t apart = longer ? rtt_ms - pace->rtt_ms : pace->rtt_ms - rtt_ms;
		pace->variance_ms -= (pace->variance_ms + 3) / 4;
		pace->variance_ms += (apart + 3) / 4;
		uint32_t step = (apart + 7) / 8;
		pace->rtt_ms = longer ? pace->rtt_ms + step : pace->rtt_ms - step;
	}
	pace->lowest_rtt_ms = least(pace->lowest_rtt_ms, pace->rtt_ms);
	pace->highest_variance_ms = most(pace->highest_variance_ms, pace->variance_ms);
	if (pace->epoch_ms == 0 || now_ms - pace->epoch_ms >= pace->interval_ms) {
		pace->last_rtt_ms = pace->lowest_rtt_ms;
		pace->last_variance_ms = most(pace->highest_variance_ms, 1);
		pace->lowest_rtt_ms = pace->rtt_ms;
		pace->highest_variance_ms = pace->variance_ms;
		pace->epoch_ms = now_ms;
	}
}

bool enet_pace_passes(struct enet_pace *pace) {
	pace->counter = (uint8_t)((pace->counter + COUNTER_STEP) % ENET_THROTTLE_FULL);
	return pace->counter <= pace->throttle;
}

uint16_t enet_pace_rto(const struct enet_pace *pace, unsigned attempts) {
	uint32_t rto = pace->rtt_ms + least(pace->rtt_ms, 4 * most(1, pace->variance_ms));
	rto = least(rto, ENET_RTO_MAX_MS) * most(1, least(attempts, ATTEMPTS_MAX));
	return (uint16_t)most(least(rto, ENET_RTO_MAX_MS), ENET_RTO_MIN_MS);
}

uint32_t enet_window_for(uint32_t bandwidth) {
	if (bandwidth == 0) {
		return WINDOW_MAX;
	}
	uint32_t window = least(bandwidth / 65536, WINDOW_MAX / WINDOW_MIN) * WINDOW_MIN;
	return most(window, WINDOW_MIN);
}
