/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "ipc/pool.h"

static const struct ipc_picture_format format = { .width = 64, .height = 32 };

static void the_newest_and_the_held_are_never_written(void **state) {
	(void)state;
	struct pool pool;
	struct pool_rows rows;
	assert_int_equal(pool_create(&format, 1, &pool), 0);
	assert_int_equal(pool.count, 3);
	int first = pool_begin(&pool, &rows);
	assert_int_equal(pool_commit(&pool, first), 1);
	pool_hold(&pool, first, 0, 5);
	int second = pool_begin(&pool, &rows);
	assert_int_not_equal(second, first);
	pool_commit(&pool, second);
	int third = pool_begin(&pool, &rows);
	assert_int_not_equal(third, first);
	assert_int_not_equal(third, second);
	pool_commit(&pool, third);
	/* One is held, one is the newest: there is always one more. */
	assert_int_equal(pool_begin(&pool, &rows), second);
	assert_int_equal(pool_held_since(&pool, 0), 5);
	pool_finish(&pool);
}

static void only_rows_that_changed_are_stale(void **state) {
	(void)state;
	struct pool pool;
	struct pool_rows rows;
	assert_int_equal(pool_create(&format, 0, &pool), 0);
	int a = pool_begin(&pool, &rows);
	assert_int_equal(rows.top, 0);
	assert_int_equal(rows.bottom, 32);
	pool_commit(&pool, a);
	pool_damage(&pool, (struct pool_rows){ 4, 8 });
	int b = pool_begin(&pool, &rows);
	assert_int_equal(rows.bottom, 32);
	pool_commit(&pool, b);
	pool_damage(&pool, (struct pool_rows){ 10, 99 });
	assert_int_equal(pool_begin(&pool, &rows), a);
	assert_int_equal(rows.top, 4);
	assert_int_equal(rows.bottom, 32);
	pool_commit(&pool, a);
	pool_damage(&pool, (struct pool_rows){ 2, 4 });
	assert_int_equal(pool_begin(&pool, &rows), b);
	assert_int_equal(rows.top, 2);
	assert_int_equal(rows.bottom, 32);
	pool_finish(&pool);
}

static void a_liar_releases_nothing(void **state) {
	(void)state;
	struct pool pool;
	struct pool_rows rows;
	assert_int_equal(pool_create(&format, 2, &pool), 0);
	int slot = pool_begin(&pool, &rows);
	pool_commit(&pool, slot);
	pool_hold(&pool, slot, 0, 1);
	assert_int_equal(pool_release(&pool, (unsigned)slot, 1), -EPROTO);
	assert_int_equal(pool_release(&pool, 200, 0), -EPROTO);
	assert_int_equal(pool_release(&pool, (unsigned)slot, 99), -EPROTO);
	assert_int_equal(pool_release(&pool, (unsigned)slot, 0), 0);
	assert_int_equal(pool_release(&pool, (unsigned)slot, 0), -EPROTO);
	pool_finish(&pool);
}

static void a_dead_encoder_gives_everything_back(void **state) {
	(void)state;
	struct pool pool;
	struct pool_rows rows;
	assert_int_equal(pool_create(&format, 1, &pool), 0);
	for (int i = 0; i < 3; i++) {
		int slot = pool_begin(&pool, &rows);
		assert_true(slot >= 0);
		pool_commit(&pool, slot);
		pool_hold(&pool, slot, 0, 1);
	}
	assert_int_equal(pool_begin(&pool, &rows), -EAGAIN);
	pool_release_all(&pool, 0);
	assert_true(pool_begin(&pool, &rows) >= 0);
	assert_int_equal(pool_held_since(&pool, 0), 0);
	pool_finish(&pool);
}

static void a_reader_maps_what_was_written_and_no_more(void **state) {
	(void)state;
	struct pool pool;
	struct pool_view view;
	struct pool_rows rows;
	assert_int_equal(pool_create(&format, 1, &pool), 0);
	int slot = pool_begin(&pool, &rows);
	pool_plane(&pool, slot, 2)[5] = 99;
	int fd = dup(pool.shm.fd);
	struct ipc_picture_format larger = { .width = 640, .height = 320 };
	assert_int_equal(pool_view_open(fd, &larger, 3, 1, &view), -EPROTO);
	assert_int_equal(pool_view_open(fd, &format, 200, 1, &view), -EPROTO);
	assert_int_equal(pool_view_open(fd, &format, 3, 1, &view), 0);
	assert_int_equal(pool_view_plane(&view, (unsigned)slot, 2)[5], 99);
	assert_null(pool_view_plane(&view, 3, 0));
	pool_view_finish(&view);
	pool_finish(&pool);
}

static void odd_and_huge_formats_are_refused(void **state) {
	(void)state;
	struct pool_layout layout;
	const struct ipc_picture_format bad[] = {
		{ .width = 0, .height = 2 },
		{ .width = 3, .height = 2 },
		{ .width = 2, .height = 2162 },
		{ .width = 3842, .height = 2 },
		{ .width = 2, .height = 2, .chroma = 7 },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(pool_layout(&bad[i], &layout), -EINVAL);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_newest_and_the_held_are_never_written),
		UNIT(only_rows_that_changed_are_stale),
		UNIT(a_liar_releases_nothing),
		UNIT(a_dead_encoder_gives_everything_back),
		UNIT(a_reader_maps_what_was_written_and_no_more),
		UNIT(odd_and_huge_formats_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
