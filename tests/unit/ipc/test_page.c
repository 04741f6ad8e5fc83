/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <string.h>

#include "ipc/page.h"

static void the_newest_commit_is_read(void **state) {
	(void)state;
	struct shm page;
	char text[64];
	assert_int_equal(page_create(&page), 0);
	assert_int_equal(page_read(&page, text, sizeof(text)), -ENOENT);
	assert_int_equal(page_commit(&page, "one", 3), 0);
	assert_int_equal(page_commit(&page, "two!", 4), 0);
	assert_int_equal(page_read(&page, text, sizeof(text)), 4);
	assert_memory_equal(text, "two!", 4);
	assert_int_equal(page_commit(&page, "three", 5), 0);
	assert_int_equal(page_read(&page, text, sizeof(text)), 5);
	assert_int_equal(page_read(&page, text, 4), -ENOSPC);
	shm_finish(&page);
}

/* SIGKILL can strike between any two stores: whatever single byte of the newer
 * place is not yet written, the older commit is read, or the newer one whole. */
static void a_torn_commit_leaves_the_one_before(void **state) {
	(void)state;
	struct shm page;
	char text[64];
	uint8_t before[PAGE_SIZE];
	assert_int_equal(page_create(&page), 0);
	assert_int_equal(page_commit(&page, "first!", 6), 0);
	assert_int_equal(page_commit(&page, "second", 6), 0);
	memcpy(before, page.map, PAGE_SIZE);
	assert_int_equal(page_commit(&page, "third.", 6), 0);
	unsigned found = 0;
	for (size_t i = 0; i < PAGE_SIZE; i++) {
		uint8_t now = page.map[i];
		if (now == before[i]) {
			continue;
		}
		page.map[i] = before[i];
		assert_int_equal(page_read(&page, text, sizeof(text)), 6);
		assert_true(memcmp(text, "second", 6) == 0 || memcmp(text, "third.", 6) == 0);
		page.map[i] = now;
		found++;
	}
	assert_true(found > 6);
	shm_finish(&page);
}

static void what_does_not_fit_is_refused(void **state) {
	(void)state;
	struct shm page;
	static uint8_t big[PAGE_CONTENT_MAX + 1];
	assert_int_equal(page_create(&page), 0);
	assert_int_equal(page_commit(&page, big, sizeof(big)), -ENOSPC);
	assert_int_equal(page_commit(&page, big, sizeof(big) - 1), 0);
	shm_finish(&page);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_newest_commit_is_read),
		UNIT(a_torn_commit_leaves_the_one_before),
		UNIT(what_does_not_fit_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
