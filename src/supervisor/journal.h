/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_JOURNAL_H
#define SUPERVISOR_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "ipc/message.h"

/* Where every line of every process comes together: it gets its time, kind, pid
 * and session and goes on, without blocking, into the pipe of perigee-log. What
 * that pipe cannot take is counted, not waited for. */

struct journal {
	int fd; /* owned: the pipe's writing end; -1: stderr */
	uint64_t dropped;
};

struct journal_source {
	enum ipc_peer kind;
	int32_t pid;
	uint64_t session; /* 0: none */
};

/* line: as base/log.h writes it, without the newline; other text (a library's
 * words, a crash message) becomes the value of `text`. */
void journal_write(struct journal *journal, const struct journal_source *source, const char *line,
		size_t len);

enum {
	JOURNAL_BUFFER = 4096,
	JOURNAL_LINES_PER_S = 500,
	JOURNAL_TAIL = 64 << 10,    /* bytes of last lines kept of each worker */
	JOURNAL_REPEATS_MS = 10000, /* in which a library's line that comes again is counted */
};

/* The last lines of one worker as they were written, oldest first. */
struct journal_tail {
	char *bytes; /* owned mapping of JOURNAL_TAIL, NULL before the first line */
	uint64_t written;
};

/* Puts the whole lines that are left into a memfd for whoever looks at the worker; its
 * descriptor is the caller's. */
int journal_tail_save(const struct journal_tail *tail) NODISCARD;

/* Splits what arrives from one worker into lines and limits their rate. What a library says
 * again and again is said once and counted; our own lines are all written. */
struct journal_reader {
	char buffer[JOURNAL_BUFFER];
	size_t used;
	uint64_t window_ms; /* begin of the current second */
	uint32_t lines;     /* in it */
	uint64_t suppressed;
	uint64_t last_hash; /* of the line before, when it was a library's; else 0 */
	uint64_t last_ms;   /* when that was written */
	uint64_t repeated;  /* times that it has come again since */
	struct journal_tail tail;
};

void journal_reader_finish(struct journal_reader *reader);

void journal_feed(struct journal *journal, struct journal_reader *reader,
		const struct journal_source *source, const char *bytes, size_t len,
		uint64_t now_ms);

#endif
