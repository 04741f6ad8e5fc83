/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <sys/stat.h>

#include "supervisor/keys.h"

static void a_used_key_is_known_in_the_next_supervisor_too(void **state) {
	(void)state;
	struct keys keys, again;
	uint8_t hash[32] = { 1, 2, 3 };
	assert_int_equal(keys_create(&keys), 0);
	assert_false(keys_contain(&keys, hash));
	keys_add(&keys, hash);
	assert_true(keys_contain(&keys, hash));
	assert_int_equal(keys_open(dup(keys.shm.fd), &again), 0);
	keys_finish(&keys);
	assert_true(keys_contain(&again, hash));
	keys_finish(&again);
}

static void the_oldest_is_forgotten_first(void **state) {
	(void)state;
	struct keys keys;
	assert_int_equal(keys_create(&keys), 0);
	for (uint32_t i = 0; i <= KEYS_MAX; i++) {
		uint8_t hash[32] = { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16) };
		keys_add(&keys, hash);
	}
	uint8_t first[32] = { 0 }, second[32] = { 1 };
	assert_false(keys_contain(&keys, first));
	assert_true(keys_contain(&keys, second));
	keys_finish(&keys);
}

static void all_of_its_memory_is_there_from_the_beginning(void **state) {
	(void)state;
	struct keys keys;
	struct stat st;
	assert_int_equal(keys_create(&keys), 0);
	assert_int_equal(fstat(keys.shm.fd, &st), 0);
	assert_true((uint64_t)st.st_blocks * 512 >= KEYS_MAX * 32);
	keys_finish(&keys);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_used_key_is_known_in_the_next_supervisor_too),
		UNIT(the_oldest_is_forgotten_first),
		UNIT(all_of_its_memory_is_there_from_the_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
