/* SPDX-License-Identifier: MIT */
#include "../folder.h"
#include "../unit.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

enum {
	DEADLINE_MS = 10000,
};

static const char *log_path;
static char folder[64], file[96];

struct run {
	pid_t pid;
	int in, console;
};

/* The console is a pipe that nobody reads unless the test does. */
static struct run start_with(const char *const *args, bool journal, rlim_t file_bytes) {
	const char *argv[16] = { "perigee-log" };
	for (size_t i = 0; args[i]; i++) {
		argv[i + 1] = args[i];
	}
	int in[2], console[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(console, O_CLOEXEC), 0);
	struct stat status;
	fstat(console[1], &status);
	char stream[64];
	text_format(stream, sizeof(stream), "%lu:%lu", (unsigned long)status.st_dev,
			(unsigned long)status.st_ino);
	struct run run = { .in = in[1], .console = console[0], .pid = fork() };
	if (run.pid == 0) {
		dup2(in[0], 0);
		dup2(console[1], 2);
		if (journal) {
			setenv("JOURNAL_STREAM", stream, 1);
		}
		struct rlimit limit = { file_bytes, RLIM_INFINITY };
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		execv(log_path, (char **)(uintptr_t)argv);
		_exit(99);
	}
	close(in[0]);
	close(console[1]);
	return run;
}

static struct run start(const char *const *args, bool journal) {
	return start_with(args, journal, RLIM_INFINITY);
}

static void write_all(int fd, const char *text, size_t len) {
	while (len > 0) {
		struct pollfd wait = { .fd = fd, .events = POLLOUT };
		assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
		ssize_t n = write(fd, text, len);
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

static size_t read_all(int fd, char *out, size_t size) {
	size_t len = 0;
	for (ssize_t n = 1; n > 0 && len + 1 < size; len += n > 0 ? (size_t)n : 0) {
		n = read(fd, out + len, size - 1 - len);
	}
	out[len] = '\0';
	return len;
}

static int finish(struct run *run) {
	int status;
	assert_int_equal(waitpid(run->pid, &status, 0), run->pid);
	close(run->console);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static size_t read_file(const char *suffix, char *out, size_t size) {
	char path[128];
	text_format(path, sizeof(path), "%s%s", file, suffix);
	OWN(fd_close) int fd = open(path, O_RDONLY);
	return fd < 0 ? 0 : read_all(fd, out, size);
}

#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void lines_go_to_the_console_and_the_file(void **state) {
	(void)state;
	char text[256];
	struct run run = start(ARGS("--file", file), false);
	write_all(run.in, "i one\ni two", 11);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_string_equal(text, "i one\ni two\n");
	assert_int_equal(finish(&run), 0);
	read_file("", text, sizeof(text));
	assert_string_equal(text, "i one\ni two\n");
}

static void files_are_rotated_by_size_and_count(void **state) {
	(void)state;
	static char text[16384];
	char line[1001];
	memset(line, 'x', sizeof(line));
	line[1000] = '\n';
	struct run run = start(ARGS("--file", file, "--max-bytes", "4096", "--keep", "2"), false);
	for (int i = 0; i < 20; i++) {
		line[0] = (char)('a' + i);
		write_all(run.in, line, sizeof(line));
	}
	close(run.in);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(read_file("", text, sizeof(text)), 4004);
	assert_int_equal(text[0], 'q');
	assert_int_equal(read_file(".1", text, sizeof(text)), 4004);
	assert_int_equal(text[0], 'm');
	assert_int_equal(read_file(".2", text, sizeof(text)), 4004);
	assert_int_equal(text[0], 'i');
	assert_int_equal(read_file(".3", text, sizeof(text)), 0);
}

static void a_terminal_that_takes_nothing_blocks_nobody(void **state) {
	(void)state;
	static char text[1 << 20];
	char line[100];
	memset(line, 'x', sizeof(line));
	line[99] = '\n';
	struct run run = start(ARGS("--file", file), false);
	for (int i = 0; i < 5000; i++) {
		write_all(run.in, line, sizeof(line));
	}
	close(run.in);
	size_t shown = read_all(run.console, text, sizeof(text));
	assert_true(shown > 0);
	assert_int_equal(finish(&run), 0);
	assert_int_equal(read_file("", text, sizeof(text)), 500000);
}

static void dropped_lines_are_counted(void **state) {
	(void)state;
	static char text[1 << 20], line[4096];
	memset(line, 'x', sizeof(line));
	line[4095] = '\n';
	struct run run = start(ARGS("--file", file), false);
	for (int i = 0; i < 100; i++) {
		write_all(run.in, line, sizeof(line));
	}
	/* Its console is full; whatever it takes from here on has its line dropped. */
	struct stat status = { 0 };
	for (int i = 0; status.st_size < 90 * (off_t)sizeof(line); i++) {
		struct pollfd wait = { .fd = -1 };
		poll(&wait, 1, 1); /* nothing announces that a file grew */
		stat(file, &status);
		assert_true(i < DEADLINE_MS);
	}
	size_t len = 0;
	while (len < 65536) {
		ssize_t n = read(run.console, text, 65536 - len);
		assert_true(n > 0);
		len += (size_t)n;
	}
	write_all(run.in, "i last\n", 7);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_non_null(strstr(text, "w log-dropped lines="));
	assert_non_null(strstr(text, "i last\n"));
	assert_int_equal(finish(&run), 0);
}

static void the_journal_gets_priorities_and_the_file_does_not(void **state) {
	(void)state;
	char text[256];
	struct run run = start(ARGS("--file", file), true);
	static const char lines[] = "e bad\n2026-01-01T00:00:00Z w so-so\nplain\nd much\n";
	write_all(run.in, lines, sizeof(lines) - 1);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_string_equal(
			text, "<3>e bad\n<4>2026-01-01T00:00:00Z w so-so\n<6>plain\n<7>d much\n");
	assert_int_equal(finish(&run), 0);
	read_file("", text, sizeof(text));
	assert_string_equal(text, lines);
}

static void a_quiet_console_shows_only_what_is_as_bad_as_asked(void **state) {
	(void)state;
	static const char lines[] =
			"time=2026-01-01T00:00:00Z level=info kind=gate event=a\n"
			"time=2026-01-01T00:00:00Z level=warning kind=gate event=b\n"
			"time=2026-01-01T00:00:00Z level=error kind=gate event=c\n"
			"i hold-quit code=0\ne perigeed-died\nplain e w\nplain level=error\n";
	char text[512];
	struct run run = start(ARGS("--file", file, "--console", "warning"), false);
	write_all(run.in, lines, sizeof(lines) - 1);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_string_equal(text, "time=2026-01-01T00:00:00Z level=warning kind=gate event=b\n"
				  "time=2026-01-01T00:00:00Z level=error kind=gate event=c\n"
				  "e perigeed-died\n");
	assert_int_equal(finish(&run), 0);
	read_file("", text, sizeof(text));
	assert_string_equal(text, lines);
}

static void endless_lines_are_cut(void **state) {
	(void)state;
	static char text[65536], line[10001];
	memset(line, 'x', sizeof(line));
	line[10000] = '\n';
	struct run run = start(ARGS("--file", file), false);
	write_all(run.in, line, sizeof(line));
	close(run.in);
	assert_int_equal(read_all(run.console, text, sizeof(text)), 10003);
	assert_int_equal(finish(&run), 0);
}

static void a_folder_that_is_missing_is_said_once(void **state) {
	(void)state;
	char text[512];
	struct run run = start(ARGS("--file", "/no/such/folder/log"), false);
	write_all(run.in, "i one\ni two\n", 12);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_string_equal(text, "i one\ne log-file ok=0 error=\"No such file or directory\"\n"
				  "i two\n");
	assert_int_equal(finish(&run), 0);
}

/* Reads the console until it has said so. */
static void await(const struct run *run, const char *said) {
	char text[4096];
	size_t len = 0;
	for (text[0] = '\0'; !strstr(text, said);) {
		struct pollfd wait = { .fd = run->console, .events = POLLIN };
		assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
		ssize_t n = read(run->console, text + len, sizeof(text) - 1 - len);
		assert_true(n > 0);
		len += (size_t)n;
		text[len] = '\0';
	}
}

/* A limit of the file's size stands for the disk: it takes half of a line, then nothing. */
static void what_a_full_disk_did_not_take_comes_later(void **state) {
	(void)state;
	char text[256];
	struct run run = start_with(ARGS("--file", file), false, 8);
	write_all(run.in, "i one\ni two\n", 12);
	await(&run, "log-file ok=0");
	write_all(run.in, "i three\n", 8);
	await(&run, "i three\n");
	struct rlimit enough = { RLIM_INFINITY, RLIM_INFINITY };
	assert_int_equal(prlimit(run.pid, RLIMIT_FSIZE, &enough, NULL), 0);
	await(&run, "log-file ok=1"); /* without a new line */
	write_all(run.in, "i four\n", 7);
	close(run.in);
	assert_int_equal(finish(&run), 0);
	read_file("", text, sizeof(text));
	assert_string_equal(text, "i one\ni two\ni three\ni four\n");
}

static void what_is_too_much_to_wait_is_counted(void **state) {
	(void)state;
	static char text[1 << 20], line[1000];
	memset(line, 'x', sizeof(line));
	line[999] = '\n';
	struct run run = start_with(ARGS("--file", file, "--console", "error"), false, 0);
	for (int i = 0; i < 300; i++) {
		write_all(run.in, line, sizeof(line));
	}
	write_all(run.in, "e last\n", 7);
	await(&run, "e last\n");
	struct rlimit enough = { RLIM_INFINITY, RLIM_INFINITY };
	assert_int_equal(prlimit(run.pid, RLIMIT_FSIZE, &enough, NULL), 0);
	close(run.in);
	assert_int_equal(finish(&run), 0);
	size_t len = read_file("", text, sizeof(text));
	assert_true(len > 200 * sizeof(line));
	char *said = strstr(text, "w log-dropped lines=");
	assert_non_null(said);
	/* The last one may have come just when there was room again. */
	size_t kept = (size_t)(said - text) / sizeof(line) + (strstr(text, "e last") != NULL);
	assert_int_equal(kept + strtoul(said + 20, NULL, 10), 301);
}

static void only_the_end_of_its_input_ends_it(void **state) {
	(void)state;
	char text[64];
	struct run run = start(ARGS("--file", file), false);
	write_all(run.in, "i up\n", 5);
	struct pollfd wait = { .fd = run.console, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, DEADLINE_MS), 1);
	kill(run.pid, SIGTERM);
	kill(run.pid, SIGINT);
	kill(run.pid, SIGHUP);
	write_all(run.in, "i still\n", 8);
	close(run.in);
	read_all(run.console, text, sizeof(text));
	assert_string_equal(text, "i up\ni still\n");
	assert_int_equal(finish(&run), 0);
}

static int prepare(void **state) {
	(void)state;
	folder_make(folder, sizeof(folder), "log");
	text_format(file, sizeof(file), "%s/log", folder);
	return 0;
}

static int clean(void **state) {
	(void)state;
	return folder_remove(folder);
}

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, prepare, clean)

int main(int argc, char **argv) {
	const struct CMUnitTest tests[] = {
		LOG_TEST(lines_go_to_the_console_and_the_file),
		LOG_TEST(files_are_rotated_by_size_and_count),
		LOG_TEST(a_terminal_that_takes_nothing_blocks_nobody),
		LOG_TEST(dropped_lines_are_counted),
		LOG_TEST(the_journal_gets_priorities_and_the_file_does_not),
		LOG_TEST(a_quiet_console_shows_only_what_is_as_bad_as_asked),
		LOG_TEST(endless_lines_are_cut),
		LOG_TEST(a_folder_that_is_missing_is_said_once),
		LOG_TEST(what_a_full_disk_did_not_take_comes_later),
		LOG_TEST(what_is_too_much_to_wait_is_counted),
		LOG_TEST(only_the_end_of_its_input_ends_it),
	};
	assert_int_equal(argc, 2);
	log_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
