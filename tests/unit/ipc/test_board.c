/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "ipc/board.h"

static void publish(struct board_writer *writer, const char *leg, const char *metrics) {
	struct board_state state = { .made_ns = 7, .ready = leg[0] == '\0' };
	text_copy(state.leg, sizeof(state.leg), leg);
	state.text_len = (uint32_t)strlen(metrics);
	memcpy(board_begin(writer), metrics, strlen(metrics));
	board_publish(writer, &state);
}

static void open_pair(struct board_writer *writer, struct board_reader *reader) {
	assert_int_equal(board_create(writer), 0);
	assert_int_equal(board_open(dup(writer->shm.fd), reader), 0);
}

static void the_newest_is_read(void **unused) {
	(void)unused;
	struct board_writer writer;
	struct board_reader reader;
	struct board_state state;
	char text[64] = "";
	open_pair(&writer, &reader);
	assert_int_equal(board_read(&reader, &state, text, sizeof(text)), -EAGAIN);
	for (int i = 0; i < 5; i++) {
		char metrics[16];
		text_format(metrics, sizeof(metrics), "turn %d\n", i);
		publish(&writer, i % 2 ? "encoder" : "", metrics);
		assert_int_equal(board_read(&reader, &state, text, sizeof(text)), 0);
		assert_int_equal(state.ready, i % 2 == 0);
		assert_string_equal(state.leg, i % 2 ? "encoder" : "");
		assert_int_equal(state.text_len, strlen(metrics));
		assert_memory_equal(text, metrics, state.text_len);
	}
	board_reader_finish(&reader);
	board_writer_finish(&writer);
}

/* The supervisor may be stopped or killed anywhere. */
static void a_writer_that_stops_in_the_middle_leaves_the_last_one(void **unused) {
	(void)unused;
	struct board_writer writer;
	struct board_reader reader;
	struct board_state state;
	char text[64];
	open_pair(&writer, &reader);
	publish(&writer, "desktop", "whole\n");
	memcpy(board_begin(&writer), "torn", 4);
	assert_int_equal(board_read(&reader, &state, text, sizeof(text)), 0);
	assert_string_equal(state.leg, "desktop");
	assert_memory_equal(text, "whole\n", 6);
	board_reader_finish(&reader);
	board_writer_finish(&writer);
}

static void a_long_text_is_cut_off_and_none_may_be_wanted(void **unused) {
	(void)unused;
	struct board_writer writer;
	struct board_reader reader;
	struct board_state state;
	char text[4];
	open_pair(&writer, &reader);
	publish(&writer, "", "0123456789");
	assert_int_equal(board_read(&reader, &state, text, sizeof(text)), 0);
	assert_int_equal(state.text_len, 4);
	assert_int_equal(board_read(&reader, &state, NULL, 0), 0);
	assert_int_equal(state.text_len, 0);
	board_reader_finish(&reader);
	board_writer_finish(&writer);
}

static void nonsense_is_refused(void **unused) {
	(void)unused;
	struct board_writer writer;
	struct board_reader reader;
	struct board_state state;
	open_pair(&writer, &reader);
	struct board_state lie = { .text_len = BOARD_TEXT_MAX + 1 };
	board_begin(&writer);
	board_publish(&writer, &lie);
	assert_int_equal(board_read(&reader, &state, NULL, 0), -EBADMSG);
	lie.text_len = 0;
	memset(lie.words, 'x', sizeof(lie.words));
	board_begin(&writer);
	board_publish(&writer, &lie);
	assert_int_equal(board_read(&reader, &state, NULL, 0), -EBADMSG);
	board_reader_finish(&reader);
	board_writer_finish(&writer);
}

static void another_block_is_no_board_and_nobody_else_writes(void **unused) {
	(void)unused;
	struct board_writer writer;
	struct board_reader reader;
	open_pair(&writer, &reader);
	assert_ptr_equal(mmap(NULL, writer.shm.size, PROT_READ | PROT_WRITE, MAP_SHARED,
					 reader.shm.fd, 0),
			MAP_FAILED);
	uint32_t other = BOARD_LAYOUT + 1;
	memcpy(writer.shm.map, &other, sizeof(other));
	int fd = dup(writer.shm.fd);
	struct board_reader second;
	assert_int_equal(board_open(fd, &second), -EPROTO);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	close(fd);
	struct shm small;
	assert_int_equal(shm_create("small", 4096, true, &small), 0);
	assert_int_equal(board_open(small.fd, &second), -EPROTO);
	shm_finish(&small);
	board_reader_finish(&reader);
	board_writer_finish(&writer);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_is_read),
		cmocka_unit_test(a_writer_that_stops_in_the_middle_leaves_the_last_one),
		cmocka_unit_test(a_long_text_is_cut_off_and_none_may_be_wanted),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(another_block_is_no_board_and_nobody_else_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
