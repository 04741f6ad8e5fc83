/* SPDX-License-Identifier: MIT */
#include "supervisor/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"

enum {
	LINE_MAX_OUT = LOG_LINE_MAX + 256,
};

struct level_row {
	char letter;
	const char *name;
};

static const struct level_row levels[] = {
	{ 'e', "error" },
	{ 'w', "warning" },
	{ 'i', "info" },
	{ 'd', "debug" },
};

static const char *level_name(char letter) {
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (levels[i].letter == letter) {
			return levels[i].name;
		}
	}
	return NULL;
}

/* "i event key=value": a line of base/log.h. */
static bool is_ours(const char *line, size_t len) {
	return len > 3 && line[1] == ' ' && level_name(line[0]) && line[2] >= 'a' && line[2] <= 'z';
}

static size_t put_head(
		char *out, size_t size, const struct journal_source *source, const char *level) {
	struct timespec now;
	struct tm utc;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	size_t len = strftime(out, size, "time=%Y-%m-%dT%H:%M:%S", &utc);
	int more = snprintf(out + len, size - len, ".%06ldZ level=%s kind=%s pid=%d ",
			now.tv_nsec / 1000, level, ipc_peer_name(source->kind), source->pid);
	len += (size_t)more;
	if (source->session) {
		len += (size_t)snprintf(out + len, size - len, "session=%016llx ",
				(unsigned long long)source->session);
	}
	return len;
}

static void put_text(char *line, size_t *used, const char *text, size_t len) {
	size_t room = LINE_MAX_OUT - 1 - *used;
	memcpy(line + *used, text, len < room ? len : room);
	*used += len < room ? len : room;
}

static void keep(struct journal_tail *tail, const char *line, size_t len) {
	if (!tail->bytes) {
		/* Pages of its own, which go with it: in the heap, rings of workers that come
		 * and go leave holes among what stays. */
		void *map = mmap(NULL, JOURNAL_TAIL, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		tail->bytes = map != MAP_FAILED ? (char *)map : NULL;
	}
	for (size_t i = 0; tail->bytes && i < len; i++) {
		tail->bytes[tail->written++ % JOURNAL_TAIL] = line[i];
	}
}

int journal_tail_save(const struct journal_tail *tail) {
	OWN(fd_close) int fd = memfd_create("lines", MFD_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	if (!tail->bytes) {
		return TAKE(fd, -1);
	}
	size_t begin = (size_t)(tail->written % JOURNAL_TAIL);
	size_t first = begin;
	if (tail->written > JOURNAL_TAIL) {
		/* The oldest line is half overwritten. */
		const char *end = memchr(tail->bytes + begin, '\n', JOURNAL_TAIL - begin);
		first = end ? (size_t)(end + 1 - tail->bytes) : JOURNAL_TAIL;
		size_t len = JOURNAL_TAIL - first;
		if (write(fd, tail->bytes + first, len) != (ssize_t)len) {
			return -EIO;
		}
	}
	return write(fd, tail->bytes, begin) == (ssize_t)begin ? TAKE(fd, -1) : -EIO;
}

void journal_reader_finish(struct journal_reader *reader) {
	if (reader->tail.bytes) {
		munmap(reader->tail.bytes, JOURNAL_TAIL);
	}
	reader->tail = (struct journal_tail){ 0 };
}

static void write_line(struct journal *journal, const struct journal_source *source,
		const char *line, size_t len, struct journal_tail *tail) {
	char out[LINE_MAX_OUT];
	bool ours = is_ours(line, len);
	size_t used = put_head(out, 200, source, ours ? level_name(line[0]) : "info");
	if (ours) {
		put_text(out, &used, "event=", 6);
		put_text(out, &used, line + 2, len - 2);
	} else {
		char text[200];
		size_t n = len < sizeof(text) - 1 ? len : sizeof(text) - 1;
		memcpy(text, line, n);
		text[n] = '\0';
		struct log_quoted quoted = log_quote(text);
		put_text(out, &used, "event=output text=", 18);
		put_text(out, &used, quoted.text, strlen(quoted.text));
	}
	out[used++] = '\n';
	int fd = journal->fd >= 0 ? journal->fd : STDERR_FILENO;
	if (write(fd, out, used) != (ssize_t)used) {
		journal->dropped++;
	}
	if (tail) {
		keep(tail, out, used);
	}
}

void journal_write(struct journal *journal, const struct journal_source *source, const char *line,
		size_t len) {
	write_line(journal, source, line, len, NULL);
}

static bool may_pass(struct journal *journal, struct journal_reader *reader,
		const struct journal_source *source, uint64_t now_ms) {
	if (now_ms - reader->window_ms >= 1000) {
		reader->window_ms = now_ms;
		reader->lines = 0;
		if (reader->suppressed > 0) {
			char line[80];
			int len = snprintf(line, sizeof(line), "w lines-suppressed count=%llu",
					(unsigned long long)reader->suppressed);
			journal_write(journal, source, line, (size_t)len);
			reader->suppressed = 0;
		}
	}
	if (reader->lines >= JOURNAL_LINES_PER_S) {
		reader->suppressed++;
		return false;
	}
	reader->lines++;
	return true;
}

static uint64_t hash_of(const char *line, size_t len) {
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++) {
		hash = (hash ^ (uint8_t)line[i]) * UINT64_C(0x100000001b3);
	}
	return hash ? hash : 1;
}

/* True for a foreign line that is as the one before was: it is counted, and the count is
 * written when another one comes, or the same after a while. */
static bool is_repeat(struct journal *journal, struct journal_reader *reader,
		const struct journal_source *source, uint64_t now_ms) {
	bool ours = is_ours(reader->buffer, reader->used);
	uint64_t hash = ours ? 0 : hash_of(reader->buffer, reader->used);
	if (hash && hash == reader->last_hash && now_ms - reader->last_ms < JOURNAL_REPEATS_MS) {
		reader->repeated++;
		return true;
	}
	if (reader->repeated > 0) {
		char line[64];
		int len = snprintf(line, sizeof(line), "i output-repeated times=%llu",
				(unsigned long long)reader->repeated);
		write_line(journal, source, line, (size_t)len, &reader->tail);
	}
	reader->repeated = 0;
	reader->last_hash = hash;
	reader->last_ms = now_ms;
	return false;
}

void journal_feed(struct journal *journal, struct journal_reader *reader,
		const struct journal_source *source, const char *bytes, size_t len,
		uint64_t now_ms) {
	for (size_t i = 0; i < len; i++) {
		bool full = reader->used == sizeof(reader->buffer);
		if (bytes[i] != '\n' && !full) {
			reader->buffer[reader->used++] = bytes[i];
			continue;
		}
		if (reader->used > 0 && !is_repeat(journal, reader, source, now_ms) &&
				may_pass(journal, reader, source, now_ms)) {
			write_line(journal, source, reader->buffer, reader->used, &reader->tail);
		}
		reader->used = 0;
	}
}
