/* SPDX-License-Identifier: MIT */
#include "ipc/page.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

struct place {
	_Atomic uint64_t generation; /* 0: never written, or being written */
	uint32_t layout, size;
	uint64_t checksum;
	uint8_t content[PAGE_CONTENT_MAX];
};

_Static_assert(sizeof(struct place) <= PAGE_PLACE_SIZE, "two places fit");

static struct place *place_of(const struct shm *page, unsigned index) {
	return (struct place *)(void *)(page->map + index * (size_t)PAGE_PLACE_SIZE);
}

/* FNV-1a by words: it only has to notice a torn write, not an enemy. */
static uint64_t checksum(const uint8_t *content, size_t size, uint64_t generation) {
	uint64_t sum = UINT64_C(0xcbf29ce484222325) ^ generation;
	size_t i = 0;
	for (; i + 8 <= size; i += 8) {
		uint64_t word;
		memcpy(&word, content + i, 8);
		sum = (sum ^ word) * UINT64_C(0x100000001b3);
		sum ^= sum >> 29;
	}
	for (; i < size; i++) {
		sum = (sum ^ content[i]) * UINT64_C(0x100000001b3);
	}
	return sum;
}

int page_create(struct shm *out) {
	int rc = shm_create("takeover", PAGE_SIZE, false, out);
	if (rc == 0) {
		madvise(out->map, out->size, MADV_DONTDUMP);
	}
	return rc;
}

int page_open(int fd, struct shm *out) {
	int rc = shm_adopt(fd, PAGE_SIZE, true, out);
	if (rc == 0) {
		madvise(out->map, out->size, MADV_DONTDUMP);
	}
	return rc;
}

int page_commit(struct shm *page, const void *content, size_t size) {
	if (size > PAGE_CONTENT_MAX) {
		return -ENOSPC;
	}
	uint64_t first = atomic_load(&place_of(page, 0)->generation);
	uint64_t second = atomic_load(&place_of(page, 1)->generation);
	struct place *place = place_of(page, first <= second ? 0 : 1);
	uint64_t generation = (first > second ? first : second) + 1;
	atomic_store(&place->generation, 0);
	place->layout = PAGE_LAYOUT;
	place->size = (uint32_t)size;
	memcpy(place->content, content, size);
	place->checksum = checksum(place->content, size, generation);
	atomic_store_explicit(&place->generation, generation, memory_order_release);
	return 0;
}

/* Returns the content's length when the place is whole. */
static int read_place(const struct place *place, void *out, size_t size) {
	uint64_t generation = atomic_load_explicit(&place->generation, memory_order_acquire);
	uint32_t length = place->size;
	if (generation == 0 || place->layout != PAGE_LAYOUT || length > PAGE_CONTENT_MAX) {
		return -ENOENT;
	}
	if (length > size) {
		return -ENOSPC;
	}
	memcpy(out, place->content, length);
	return checksum((const uint8_t *)out, length, generation) == place->checksum ? (int)length
										     : -ENOENT;
}

int page_read(const struct shm *page, void *out, size_t size) {
	const struct place *first = place_of(page, 0);
	const struct place *second = place_of(page, 1);
	bool second_newer = atomic_load(&second->generation) > atomic_load(&first->generation);
	int rc = read_place(second_newer ? second : first, out, size);
	if (rc == -ENOENT) {
		rc = read_place(second_newer ? first : second, out, size);
	}
	return rc;
}
