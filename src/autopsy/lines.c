/* SPDX-License-Identifier: MIT */
#include "autopsy/lines.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/own.h"
#include "base/text.h"

enum {
	TAIL_MAX = 4 << 20,
};

static bool is_wanted(const char *line, size_t len, const char *mark) {
	return mark[0] == '\0' || memmem(line, len, mark, strlen(mark)) != NULL;
}

size_t lines_copy(int fd, pid_t pid, FILE *out) {
	off_t size = lseek(fd, 0, SEEK_END);
	off_t begin = size > TAIL_MAX ? size - TAIL_MAX : 0;
	OWN(free) void *block = malloc(TAIL_MAX);
	ssize_t len = block && size > 0 ? pread(fd, block, TAIL_MAX, begin) : -1;
	if (len <= 0) {
		return 0;
	}
	char mark[24] = "";
	if (pid) {
		text_format(mark, sizeof(mark), " pid=%d ", pid);
	}
	/* Backwards, to the first of those that are kept. */
	const char *text = (const char *)block, *first = text + len, *end = text + len;
	size_t kept = 0;
	while (end > text && kept < LINES_KEPT) {
		const char *before = memrchr(text, '\n', (size_t)(end - text) - 1);
		const char *line = before ? before + 1 : text;
		if (is_wanted(line, (size_t)(end - line), mark)) {
			first = line;
			kept++;
		}
		end = line;
	}
	for (const char *line = first, *stop = text + len; line < stop;) {
		const char *next = memchr(line, '\n', (size_t)(stop - line));
		size_t n = (size_t)((next ? next + 1 : stop) - line);
		if (is_wanted(line, n, mark)) {
			fwrite(line, 1, n, out);
		}
		line += n;
	}
	return kept;
}
