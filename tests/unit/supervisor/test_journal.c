/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <fcntl.h>
#include <string.h>

#include "supervisor/journal.h"

struct pipes {
	struct journal journal;
	int read_end;
	char text[65536];
};

static void open_pipes(struct pipes *pipes) {
	int fds[2];
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	*pipes = (struct pipes){ .journal.fd = fds[1], .read_end = fds[0] };
}

static const char *read_all(struct pipes *pipes) {
	ssize_t len = read(pipes->read_end, pipes->text, sizeof(pipes->text) - 1);
	pipes->text[len > 0 ? len : 0] = '\0';
	return pipes->text;
}

static void close_pipes(struct pipes *pipes) {
	fd_close(pipes->journal.fd);
	fd_close(pipes->read_end);
}

static const struct journal_source source = { PEER_STREAM, 42, 0xabc };

static void a_line_gets_time_kind_pid_and_session(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	open_pipes(&pipes);
	journal_feed(&pipes.journal, &reader, &source, "w too-la", 8, 0);
	journal_feed(&pipes.journal, &reader, &source, "te by=3\n", 8, 0);
	const char *text = read_all(&pipes);
	assert_memory_equal(text, "time=2", 6);
	assert_non_null(strstr(text, " level=warning kind=stream pid=42 session=0000000000000abc "
				     "event=too-late by=3\n"));
	journal_reader_finish(&reader);
	close_pipes(&pipes);
}

static unsigned count_of(const char *text, const char *word) {
	unsigned count = 0;
	for (; (text = strstr(text, word)); text += strlen(word)) {
		count++;
	}
	return count;
}

static void feed(struct pipes *pipes, struct journal_reader *reader, const char *line,
		uint64_t now_ms) {
	journal_feed(&pipes->journal, reader, &source, line, strlen(line), now_ms);
}

static void what_a_library_repeats_is_counted(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	open_pipes(&pipes);
	for (unsigned i = 0; i < 9; i++) {
		feed(&pipes, &reader, "E: no bus\n", 100 * i);
	}
	feed(&pipes, &reader, "another\n", 1000);
	const char *text = read_all(&pipes);
	assert_int_equal(count_of(text, "E: no bus"), 1);
	assert_int_equal(count_of(text, "event=output-repeated times=8\n"), 1);
	assert_int_equal(count_of(text, "text=\"another\""), 1);
	/* One that goes on for long is said now and then. */
	feed(&pipes, &reader, "another\n", 2000);
	feed(&pipes, &reader, "another\n", 1000 + JOURNAL_REPEATS_MS);
	text = read_all(&pipes);
	assert_int_equal(count_of(text, "event=output-repeated times=1\n"), 1);
	assert_int_equal(count_of(text, "text=\"another\""), 1);
	/* Ours are all there. */
	feed(&pipes, &reader, "i pressed key=1\n", 20000);
	feed(&pipes, &reader, "i pressed key=1\n", 20000);
	assert_int_equal(count_of(read_all(&pipes), "event=pressed key=1\n"), 2);
	journal_reader_finish(&reader);
	close_pipes(&pipes);
}

static void foreign_words_become_a_quoted_value(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	open_pipes(&pipes);
	const char *line = "Assertion \"x\" failed\n";
	journal_feed(&pipes.journal, &reader, &source, line, strlen(line), 0);
	assert_non_null(strstr(
			read_all(&pipes), "event=output text=\"Assertion \\\"x\\\" failed\"\n"));
	journal_reader_finish(&reader);
	close_pipes(&pipes);
}

static void a_flood_is_limited_and_said(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	open_pipes(&pipes);
	fcntl(pipes.journal.fd, F_SETPIPE_SZ, 1 << 20);
	for (int i = 0; i < JOURNAL_LINES_PER_S + 7; i++) {
		journal_feed(&pipes.journal, &reader, &source, "i x y=1\n", 8, 5);
	}
	assert_int_equal(reader.suppressed, 7);
	while (read(pipes.read_end, pipes.text, sizeof(pipes.text)) > 0) {
	}
	journal_feed(&pipes.journal, &reader, &source, "i x y=1\n", 8, 1500);
	assert_non_null(strstr(read_all(&pipes), "event=lines-suppressed count=7\n"));
	journal_reader_finish(&reader);
	close_pipes(&pipes);
}

static void an_endless_line_is_cut_and_a_full_pipe_costs_nothing_but_lines(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	open_pipes(&pipes);
	char big[8192];
	memset(big, 'x', sizeof(big));
	for (int i = 0; i < 200; i++) {
		journal_feed(&pipes.journal, &reader, &source, big, sizeof(big), 0);
	}
	assert_true(reader.used <= sizeof(reader.buffer));
	for (int i = 0; i < 400; i++) {
		journal_feed(&pipes.journal, &reader, &source, "i event field=with-some-length\n",
				31, (uint64_t)i * 1000);
	}
	for (int i = 0; i < 2000; i++) {
		journal_write(&pipes.journal, &source, "i event field=1", 15);
	}
	assert_true(pipes.journal.dropped > 0);
	journal_reader_finish(&reader);
	close_pipes(&pipes);
}

static void the_last_lines_of_a_worker_are_kept(void **state) {
	(void)state;
	struct pipes pipes;
	struct journal_reader reader = { .used = 0 };
	static char bytes[JOURNAL_TAIL + 4096];
	open_pipes(&pipes);
	for (int i = 0; i < 5000; i++) {
		char line[40];
		int len = snprintf(line, sizeof(line), "i counted number=%d\n", i);
		journal_feed(&pipes.journal, &reader, &source, line, (size_t)len,
				(uint64_t)i * 1000);
	}
	int fd = journal_tail_save(&reader.tail);
	assert_true(fd >= 0);
	ssize_t len = pread(fd, bytes, sizeof(bytes) - 1, 0);
	assert_in_range(len, JOURNAL_TAIL - 1024, JOURNAL_TAIL);
	assert_memory_equal(bytes, "time=", 5);
	assert_string_equal(bytes + len - 12, "number=4999\n");
	size_t lines = 0;
	for (ssize_t i = 0; i < len; i++) {
		lines += bytes[i] == '\n';
	}
	assert_true(lines > 200);
	close(fd);
	journal_reader_finish(&reader);
	int empty = journal_tail_save(&reader.tail);
	assert_true(empty >= 0);
	assert_int_equal(pread(empty, bytes, 10, 0), 0);
	close(empty);
	close_pipes(&pipes);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_last_lines_of_a_worker_are_kept),
		UNIT(a_line_gets_time_kind_pid_and_session),
		UNIT(foreign_words_become_a_quoted_value),
		UNIT(what_a_library_repeats_is_counted),
		UNIT(a_flood_is_limited_and_said),
		UNIT(an_endless_line_is_cut_and_a_full_pipe_costs_nothing_but_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
