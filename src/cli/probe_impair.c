/* SPDX-License-Identifier: MIT */
#include "cli/probe_impair.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A heap by time of arrival, then by order of coming. */
struct place {
	uint64_t arrives_ns;
	uint64_t order;
	struct impair_datagram *datagram; /* owned */
};

struct impair {
	struct impair_config config;
	struct impair_stats stats;
	uint64_t state, order;
	struct place *heap; /* owned, IMPAIR_QUEUE_MAX places */
	size_t count;
	struct impair_datagram *lent; /* owned: what impair_pop() answered last */
};

static bool is_share(double value) {
	return value >= 0 && value <= 1;
}

bool impair_is_needed(const struct impair_config *config) {
	return config->drop > 0 || config->duplicate > 0 || config->reorder > 0 || config->delay_ms;
}

void impair_destroy(struct impair *impair) {
	if (!impair) {
		return;
	}
	for (size_t i = 0; i < impair->count; i++) {
		free(impair->heap[i].datagram);
	}
	free(impair->lent);
	free(impair->heap);
	free(impair);
}

int impair_create(const struct impair_config *config, struct impair **out) {
	if (!is_share(config->drop) || !is_share(config->duplicate) || !is_share(config->reorder)) {
		return -EINVAL;
	}
	OWN(impair_destroy) struct impair *impair = calloc(1, sizeof(*impair));
	if (!impair) {
		return -ENOMEM;
	}
	impair->config = *config;
	impair->state = config->seed;
	impair->heap = calloc(IMPAIR_QUEUE_MAX, sizeof(*impair->heap));
	if (!impair->heap) {
		return -ENOMEM;
	}
	*out = TAKE(impair, NULL);
	return 0;
}

/* SplitMix64: three draws for each datagram, whatever becomes of it, so that one
 * share does not change what another one hits. */
static bool draw(struct impair *impair, double share) {
	uint64_t z = impair->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-53 < share;
}

static bool sooner(const struct place *a, const struct place *b) {
	return a->arrives_ns < b->arrives_ns ||
	       (a->arrives_ns == b->arrives_ns && a->order < b->order);
}

static void swap(struct place *a, struct place *b) {
	struct place kept = *a;
	*a = *b;
	*b = kept;
}

static void put(struct impair *impair, uint32_t flow, const void *bytes, size_t len,
		uint64_t arrives_ns) {
	struct impair_datagram *datagram =
			impair->count < IMPAIR_QUEUE_MAX ? malloc(sizeof(*datagram)) : NULL;
	if (!datagram) {
		impair->stats.dropped++;
		return;
	}
	datagram->arrives_ns = arrives_ns;
	datagram->flow = flow;
	datagram->len = len;
	memcpy(datagram->bytes, bytes, len);
	size_t at = impair->count++;
	impair->heap[at] = (struct place){ arrives_ns, impair->order++, datagram };
	for (; at > 0 && sooner(&impair->heap[at], &impair->heap[(at - 1) / 2]);
			at = (at - 1) / 2) {
		swap(&impair->heap[at], &impair->heap[(at - 1) / 2]);
	}
}

void impair_push(struct impair *impair, uint32_t flow, const void *bytes, size_t len,
		uint64_t now_ns) {
	bool drop = draw(impair, impair->config.drop);
	bool twice = draw(impair, impair->config.duplicate);
	bool late = draw(impair, impair->config.reorder);
	if (drop || len > IMPAIR_DATAGRAM_MAX) {
		impair->stats.dropped++;
		return;
	}
	uint64_t arrives_ns = now_ns + impair->config.delay_ms * NS_PER_MS;
	if (late) {
		impair->stats.reordered++;
		arrives_ns += IMPAIR_OVERTAKEN_MS * NS_PER_MS;
	}
	put(impair, flow, bytes, len, arrives_ns);
	if (twice) {
		impair->stats.duplicated++;
		put(impair, flow, bytes, len, arrives_ns);
	}
}

static struct impair_datagram *take_first(struct impair *impair) {
	struct impair_datagram *first = impair->heap[0].datagram;
	impair->heap[0] = impair->heap[--impair->count];
	size_t at = 0;
	for (;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
			if (child < impair->count &&
					sooner(&impair->heap[child], &impair->heap[least])) {
				least = child;
			}
		}
		if (least == at) {
			return first;
		}
		swap(&impair->heap[at], &impair->heap[least]);
		at = least;
	}
}

const struct impair_datagram *impair_pop(struct impair *impair, uint64_t now_ns) {
	if (impair->count == 0 || impair->heap[0].arrives_ns > now_ns) {
		return NULL;
	}
	free(impair->lent);
	impair->lent = take_first(impair);
	impair->stats.passed++;
	return impair->lent;
}

uint64_t impair_next_deadline(const struct impair *impair) {
	return impair->count ? impair->heap[0].arrives_ns : UINT64_MAX;
}

const struct impair_stats *impair_stats(const struct impair *impair) {
	return &impair->stats;
}
