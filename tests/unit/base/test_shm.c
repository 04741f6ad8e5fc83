/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/shm.h"

static void a_reader_sees_what_the_writer_wrote(void **state) {
	(void)state;
	struct shm writer, reader;
	assert_int_equal(shm_create("test", 4096, true, &writer), 0);
	writer.map[4095] = 42;
	assert_int_equal(shm_adopt(dup(writer.fd), 4096, false, &reader), 0);
	assert_int_equal(reader.map[4095], 42);
	shm_finish(&reader);
	shm_finish(&writer);
}

static void a_reader_cannot_become_a_writer(void **state) {
	(void)state;
	struct shm writer, reader;
	assert_int_equal(shm_create("test", 4096, true, &writer), 0);
	int fd = dup(writer.fd);
	assert_true(shm_adopt(fd, 4096, true, &reader) < 0);
	assert_int_equal(reader.fd, -1);
	fd_close(fd);
	shm_finish(&writer);
}

static void a_block_that_can_shrink_is_refused(void **state) {
	(void)state;
	struct shm reader;
	int fd = memfd_create("loose", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, 4096), 0);
	assert_int_equal(shm_adopt(fd, 4096, false, &reader), -EPROTO);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(shm_adopt(fd, 4097, false, &reader), -EPROTO);
	fd_close(fd);
}

static void its_size_is_fixed(void **state) {
	(void)state;
	struct shm shm;
	assert_int_equal(shm_create("test", 4096, false, &shm), 0);
	assert_true(ftruncate(shm.fd, 1) < 0);
	assert_true(ftruncate(shm.fd, 8192) < 0);
	shm_finish(&shm);
	shm_finish(&shm);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_reader_sees_what_the_writer_wrote),
		UNIT(a_reader_cannot_become_a_writer),
		UNIT(a_block_that_can_shrink_is_refused),
		UNIT(its_size_is_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
