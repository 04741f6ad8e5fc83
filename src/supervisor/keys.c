/* SPDX-License-Identifier: MIT */
#include "supervisor/keys.h"

#include <string.h>

struct table {
	uint64_t next;
	uint8_t hash[KEYS_MAX][32];
};

static struct table *table_of(const struct keys *keys) {
	return (struct table *)(void *)keys->shm.map;
}

int keys_create(struct keys *out) {
	return shm_create("used-keys", sizeof(struct table), false, &out->shm);
}

int keys_open(int fd, struct keys *out) {
	return shm_adopt(fd, sizeof(struct table), true, &out->shm);
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
