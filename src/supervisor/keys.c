/* SPDX-License-Identifier: MIT */
#include "supervisor/keys.h"

#include <string.h>

enum {
	LEAST_PAGE = 4096, /* no machine has smaller ones */
};

struct table {
	uint64_t next;
	uint8_t hash[KEYS_MAX][32];
};

static struct table *table_of(const struct keys *keys) {
	return (struct table *)(void *)keys->shm.map;
}

/* All of it from the beginning: what a host weighs does not rise with each launch then, and
 * no launch meets a machine that has no page left for its key. */
static void have_pages(const struct keys *keys) {
	for (size_t at = 0; at < keys->shm.size; at += LEAST_PAGE) {
		__atomic_fetch_or(&keys->shm.map[at], 0, __ATOMIC_RELAXED);
	}
}

int keys_create(struct keys *out) {
	int rc = shm_create("used-keys", sizeof(struct table), false, &out->shm);
	if (rc == 0) {
		have_pages(out);
	}
	return rc;
}

int keys_open(int fd, struct keys *out) {
	int rc = shm_adopt(fd, sizeof(struct table), true, &out->shm);
	if (rc == 0) {
		have_pages(out);
	}
	return rc;
}

void keys_finish(struct keys *keys) {
	shm_finish(&keys->shm);
}

bool keys_contain(const struct keys *keys, const uint8_t hash[32]) {
	const struct table *table = table_of(keys);
	uint64_t count = table->next < KEYS_MAX ? table->next : KEYS_MAX;
	for (uint64_t i = 0; i < count; i++) {
		if (memcmp(table->hash[i], hash, 32) == 0) {
			return true;
		}
	}
	return false;
}

void keys_add(struct keys *keys, const uint8_t hash[32]) {
	struct table *table = table_of(keys);
	/* The hash first: a kill in between forgets nothing that was promised. */
	memcpy(table->hash[table->next % KEYS_MAX], hash, 32);
	__atomic_store_n(&table->next, table->next + 1, __ATOMIC_RELEASE);
}
