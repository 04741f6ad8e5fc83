/* SPDX-License-Identifier: MIT */
#include "encoder/requests.h"

#include "base/clock.h"
#include "ipc/ring.h"

static bool pending(const struct requests *requests) {
	return requests->key || requests->first != 0;
}

static void note(struct requests *requests, uint64_t now_ns) {
	if (!pending(requests)) {
		requests->since_ns = now_ns;
	}
}

void requests_key(struct requests *requests, uint64_t now_ns) {
	note(requests, now_ns);
	requests->key = true;
}

void requests_joined(struct requests *requests, uint64_t now_ns) {
	requests->readers++;
	if (requests->key_ns == 0 || now_ns - requests->key_ns > REQUESTS_FRESH_MS * NS_PER_MS) {
		requests_key(requests, now_ns);
	}
}

void requests_left(struct requests *requests) {
	requests->readers--;
	if (requests->readers == 0) {
		requests->key = false;
		requests->first = 0;
	}
}

void requests_invalidate(
		struct requests *requests, uint64_t first, uint64_t last, uint64_t now_ns) {
	if (first == 0 || first > last || first > requests->newest) {
		requests_key(requests, now_ns);
		return;
	}
	if (last < requests->answer && first >= requests->answer_first) {
		return;
	}
	note(requests, now_ns);
	if (requests->first == 0 || first < requests->first) {
		requests->first = first;
	}
}

uint64_t requests_deadline_ns(const struct requests *requests) {
	if (!pending(requests)) {
		return REQUESTS_NEVER;
	}
	uint64_t spaced_ns = requests->answered_ns + REQUESTS_SPACING_MS * NS_PER_MS;
	bool shared = requests->readers > 1 && requests->answered_ns != 0;
	return shared && spaced_ns > requests->since_ns ? spaced_ns : requests->since_ns;
}

enum requests_answer requests_next(const struct requests *requests, uint64_t now_ns) {
	if (!pending(requests) || now_ns < requests_deadline_ns(requests)) {
		return REQUESTS_NOTHING;
	}
	return requests->key ? REQUESTS_KEY : REQUESTS_INVALIDATE;
}

void requests_encoded(struct requests *requests, uint64_t sequence, uint32_t flags,
		uint64_t references, uint64_t now_ns) {
	requests->newest = sequence;
	if (flags & RING_KEY) {
		requests->key = false;
		requests->key_ns = now_ns;
		references = 0;
	}
	if (flags & (RING_KEY | RING_AFTER_INVALIDATION | RING_REFRESH)) {
		requests->first = 0;
		requests->answered_ns = now_ns;
		requests->answer = sequence;
		/* A wave mends whatever was lost before it. */
		requests->answer_first = flags & RING_REFRESH ? 1 : references + 1;
	}
}
