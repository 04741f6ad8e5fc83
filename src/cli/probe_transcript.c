/* SPDX-License-Identifier: MIT */
#include "cli/probe_transcript.h"

#include <errno.h>
#include <fcntl.h>

#include "base/bytes.h"
#include "base/clock.h"

int probe_transcript_open(
		struct probe_transcript *transcript, const char *path, uint64_t begin_ns) {
	*transcript = (struct probe_transcript){ .begin_ns = begin_ns };
	if (!path) {
		return 0;
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	transcript->file = fdopen(fd, "wb");
	if (!transcript->file) {
		fd_close(fd);
		return -ENOMEM;
	}
	fwrite("PGTR1", 1, 5, transcript->file);
	return 0;
}

void probe_transcript_add(struct probe_transcript *transcript, char kind, char from,
		const void *data, size_t len) {
	if (!transcript->file) {
		return;
	}
	uint8_t head[10];
	struct writer w = writer_over(head, sizeof(head));
	writer_u8(&w, (uint8_t)kind);
	writer_u8(&w, (uint8_t)from);
	writer_be32(&w, (uint32_t)((clock_now_ns() - transcript->begin_ns) / NS_PER_MS));
	writer_be32(&w, (uint32_t)len);
	fwrite(head, 1, sizeof(head), transcript->file);
	fwrite(data, 1, len, transcript->file);
}

int probe_transcript_close(struct probe_transcript *transcript) {
	FILE *file = TAKE(transcript->file, NULL);
	if (!file) {
		return 0;
	}
	int bad = ferror(file);
	return fclose(file) != 0 || bad ? -EIO : 0;
}
