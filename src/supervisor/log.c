/* SPDX-License-Identifier: MIT */

/* perigee-log: the end of the log pipe. Lines from stdin go to stderr and to a
 * file that is rotated by size and count; when stderr is the journal, with their
 * priority. A terminal that was stopped costs only the lines
 * that it does not take; they are counted. What a full disk does not take waits here
 * until it does, as much as fits. Ends at the end of its input. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/number.h"
#include "base/own.h"
#include "base/spawning.h"
#include "base/text.h"

enum {
	LINE_MAX_BYTES = 4096,   /* a longer line is cut into several */
	LATE_MAX_BYTES = 262144, /* some thousand lines: a disk that is full for minutes */
	RETRY_MS = 1000,         /* until a full disk is tried again without a new line */
	FLUSH_MS = 1000,         /* for stderr to take its last bytes */
};

struct logger {
	const char *path; /* borrowed, NULL for no file */
	int64_t max_bytes, keep;
	int file; /* owned */
	int64_t file_bytes;
	bool file_failed;
	size_t late_len;
	unsigned missed;              /* lines that were too many to wait */
	int console;                  /* owned when it is not STDERR_FILENO */
	enum log_level console_level; /* the console gets this and what is worse */
	bool journal;
	char rest[2 * LINE_MAX_BYTES]; /* of a line that stderr took in part */
	size_t rest_len;
	unsigned dropped;
	char late[LATE_MAX_BYTES]; /* what the file did not take yet */
};

static void flush_rest(struct logger *logger) {
	while (logger->rest_len > 0) {
		ssize_t n = write(logger->console, logger->rest, logger->rest_len);
		if (n < 0 && errno == EAGAIN) {
			return;
		}
		if (n < 0) {
			logger->rest_len = 0; /* the terminal is gone */
			return;
		}
		logger->rest_len -= (size_t)n;
		memmove(logger->rest, logger->rest + n, logger->rest_len);
	}
}

static void write_console(struct logger *logger, const char *line, size_t len) {
	flush_rest(logger);
	if (logger->rest_len > 0) {
		logger->dropped++;
		return;
	}
	size_t head = 0;
	if (logger->dropped > 0) {
		text_format(logger->rest, sizeof(logger->rest), "%sw log-dropped lines=%u\n",
				logger->journal ? "<4>" : "", logger->dropped);
		head = strlen(logger->rest);
		logger->dropped = 0;
	}
	memcpy(logger->rest + head, line, len);
	logger->rest_len = head + len;
	flush_rest(logger);
}

/* Says once what is wrong with the file, and once that it works again. */
static void note_file(struct logger *logger, bool failed, int error) {
	if (failed != logger->file_failed) {
		logger->file_failed = failed;
		char line[512];
		text_format(line, sizeof(line), "%c log-file ok=%d error=\"%s\"\n",
				failed ? 'e' : 'i', !failed, failed ? strerror(error) : "");
		write_console(logger, line, strlen(line));
	}
}

static void open_file(struct logger *logger) {
	logger->file = open(
			logger->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	struct stat status;
	if (logger->file < 0 || fstat(logger->file, &status) < 0) {
		note_file(logger, true, errno);
		fd_release(&logger->file);
		return;
	}
	logger->file_bytes = status.st_size;
}

/* path -> path.1 -> path.2 ... -> path.keep, which is overwritten. */
static void rotate(struct logger *logger) {
	fd_release(&logger->file);
	for (int64_t i = logger->keep; i > 0; i--) {
		char from[PATH_MAX], to[PATH_MAX];
		text_format(to, sizeof(to), "%s.%d", logger->path, (int)i);
		text_format(from, sizeof(from), "%s.%d", logger->path, (int)i - 1);
		const char *source = i == 1 ? logger->path : from;
		if (rename(source, to) < 0 && errno != ENOENT) {
			note_file(logger, true, errno);
		}
	}
	if (logger->keep == 0) {
		unlink(logger->path);
	}
	open_file(logger);
}

/* How much the file took; less than all of it on a disk that is full, maybe the half of
 * a line: the rest has to come next. */
static size_t append(struct logger *logger, const char *bytes, size_t len) {
	ssize_t n = write(logger->file, bytes, len);
	note_file(logger, n != (ssize_t)len, n < 0 ? errno : ENOSPC);
	logger->file_bytes += n > 0 ? n : 0;
	return n > 0 ? (size_t)n : 0;
}

/* The rest of a line that was begun always fits: nothing else waits then. */
static void keep_late(struct logger *logger, const char *bytes, size_t len) {
	if (logger->missed > 0 || len > LATE_MAX_BYTES - logger->late_len) {
		logger->missed++;
		return;
	}
	memcpy(logger->late + logger->late_len, bytes, len);
	logger->late_len += len;
}

/* True when nothing waits any more and the file can be written. */
static bool write_late(struct logger *logger) {
	if (logger->file < 0) {
		open_file(logger);
	}
	if (logger->file < 0) {
		return false;
	}
	if (logger->late_len > 0) {
		size_t done = append(logger, logger->late, logger->late_len);
		logger->late_len -= done;
		memmove(logger->late, logger->late + done, logger->late_len);
	}
	if (logger->late_len == 0 && logger->missed > 0) {
		char line[64];
		text_format(line, sizeof(line), "w log-dropped lines=%u\n", logger->missed);
		logger->missed = 0;
		size_t len = strlen(line), done = append(logger, line, len);
		keep_late(logger, line + done, len - done);
	}
	return logger->late_len == 0;
}

static void write_file(struct logger *logger, const char *line, size_t len) {
	if (!logger->path) {
		return;
	}
	if (!write_late(logger)) {
		keep_late(logger, line, len);
		return;
	}
	if (logger->file_bytes + (int64_t)len > logger->max_bytes && logger->file_bytes > 0) {
		rotate(logger);
	}
	size_t done = logger->file < 0 ? 0 : append(logger, line, len);
	if (done < len) {
		keep_late(logger, line + done, len - done);
	}
}

static bool level_of_word(const char *word, size_t len, enum log_level *out) {
	static const char letters[] = "ewid", key[] = "level=";
	char name[12];
	const char *found = len == 1 ? strchr(letters, word[0]) : NULL;
	if (found && *found) {
		*out = (enum log_level)(found - letters);
		return true;
	}
	size_t skip = sizeof(key) - 1;
	if (len <= skip || len - skip >= sizeof(name) || memcmp(word, key, skip) != 0) {
		return false;
	}
	memcpy(name, word + skip, len - skip);
	name[len - skip] = '\0';
	return log_level_parse(name, out);
}

/* The level is the first word of a line ("w"), or the second when a time stands
 * first ("w" or "level=warning"). Anything else is somebody's plain output. */
static enum log_level level_of(const char *line, size_t len) {
	enum log_level level = LOG_LEVEL_INFO;
	const char *blank = memchr(line, ' ', len);
	size_t first = blank ? (size_t)(blank - line) : len;
	if (!blank || level_of_word(line, first, &level)) {
		return level;
	}
	const char *word = blank + 1;
	size_t rest = len - first - 1;
	const char *end = memchr(word, ' ', rest);
	bool timed = strncmp(line, "time=", 5) == 0 || (line[0] >= '0' && line[0] <= '9');
	if (timed) {
		(void)level_of_word(word, end ? (size_t)(end - word) : rest, &level);
	}
	return level;
}

static void write_line(struct logger *logger, const char *line, size_t len) {
	static const char priorities[] = "3467"; /* sd-daemon(3), by level */
	char whole[LINE_MAX_BYTES + 4];
	size_t head = 0;
	enum log_level level = level_of(line, len);
	if (logger->journal) {
		whole[0] = '<';
		whole[1] = priorities[level];
		whole[2] = '>';
		head = 3;
	}
	memcpy(whole + head, line, len);
	whole[head + len] = '\n';
	if (level <= logger->console_level) {
		write_console(logger, whole, head + len + 1);
	}
	write_file(logger, whole + head, len + 1);
}

/* Writes the whole lines of text out; returns how many bytes that was. */
static size_t take_lines(struct logger *logger, const char *text, size_t len, bool end) {
	size_t done = 0;
	while (done < len) {
		const char *newline = memchr(text + done, '\n', len - done);
		size_t line = newline ? (size_t)(newline - text) - done : len - done;
		if (!newline && line < LINE_MAX_BYTES && !end) {
			break;
		}
		bool cut = line > LINE_MAX_BYTES - 1;
		if (cut) {
			line = LINE_MAX_BYTES - 1;
		}
		write_line(logger, text + done, line);
		done += line + (newline && !cut);
	}
	return done;
}

static int copy_input(struct logger *logger) {
	char text[4 * LINE_MAX_BYTES];
	size_t len = 0;
	for (;;) {
		/* Waits for its input, which ends when the last writer has; for a terminal
		 * that lags, so that its rest does not wait for the next line; and for a
		 * disk that is full, which announces nothing. */
		struct pollfd wait[] = {
			{ .fd = STDIN_FILENO, .events = POLLIN },
			{ .fd = logger->rest_len > 0 ? logger->console : -1, .events = POLLOUT },
		};
		if (poll(wait, 2, logger->late_len > 0 ? RETRY_MS : -1) < 0 && errno != EINTR) {
			return -errno;
		}
		if (logger->late_len > 0 && !wait[0].revents) {
			(void)write_late(logger);
		}
		if (wait[1].revents) {
			flush_rest(logger);
		}
		if (!wait[0].revents) {
			continue;
		}
		ssize_t n = read(STDIN_FILENO, text + len, sizeof(text) - len);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			continue;
		}
		len += n > 0 ? (size_t)n : 0;
		size_t done = take_lines(logger, text, len, n <= 0);
		len -= done;
		memmove(text, text + done, len);
		if (n <= 0) {
			return n < 0 ? -errno : 0;
		}
	}
}

static void flush_end(struct logger *logger) {
	uint64_t deadline = clock_now_ms() + FLUSH_MS;
	flush_rest(logger);
	for (uint64_t now = clock_now_ms(); logger->rest_len > 0 && now < deadline;
			now = clock_now_ms()) {
		struct pollfd wait = { .fd = logger->console, .events = POLLOUT };
		poll(&wait, 1, (int)(deadline - now));
		flush_rest(logger);
	}
}

/* A description of our own of the terminal or pipe, so that O_NONBLOCK touches
 * nobody else's. A socket cannot be opened again: there it is MSG_DONTWAIT's
 * business, and the journal's socket takes whatever comes. */
static int open_console(void) {
	int fd = open("/proc/self/fd/2", O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 ? fd : STDERR_FILENO;
}

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of stderr. */
static bool stderr_is_journal(void) {
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat status;
	if (!stream || fstat(STDERR_FILENO, &status) < 0) {
		return false;
	}
	char own[64];
	text_format(own, sizeof(own), "%llu:%llu", (unsigned long long)status.st_dev,
			(unsigned long long)status.st_ino);
	return strcmp(own, stream) == 0;
}

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *out) {
	return number_parse(text, strlen(text), min, max, out) == 0;
}

static bool parse(int argc, char **argv, struct logger *logger) {
	for (int i = 1; i < argc; i += 2) {
		const char *value = argv[i + 1];
		if (!value) {
			return false;
		}
		if (strcmp(argv[i], "--file") == 0) {
			logger->path = value;
		} else if (strcmp(argv[i], "--console") == 0) {
			if (!log_level_parse(value, &logger->console_level)) {
				return false;
			}
		} else if (strcmp(argv[i], "--max-bytes") == 0) {
			if (!parse_number(value, LINE_MAX_BYTES, INT64_MAX / 2,
					    &logger->max_bytes)) {
				return false;
			}
		} else if (strcmp(argv[i], "--keep") == 0) {
			if (!parse_number(value, 0, 99, &logger->keep)) {
				return false;
			}
		} else {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv) {
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGTTOU };
	struct logger logger = {
		.file = -1,
		.max_bytes = 16 << 20,
		.keep = 4,
		.console = STDERR_FILENO,
		.console_level = LOG_LEVEL_DEBUG,
	};
	spawn_take_name();
	if (!parse(argc, argv, &logger)) {
		fprintf(stderr, "e log-arguments usage=\"perigee-log [--file PATH] "
				"[--console LEVEL] [--max-bytes N] [--keep N]\"\n");
		return 2;
	}
	/* The last line is the one that says why it ended: only the end of the input
	 * ends this. */
	for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
		signal(ignored[i], SIG_IGN);
	}
	logger.journal = stderr_is_journal();
	logger.console = open_console();
	int rc = copy_input(&logger);
	if (logger.late_len > 0) {
		(void)write_late(&logger);
	}
	flush_end(&logger);
	fd_release(&logger.file);
	_exit(rc < 0);
}
