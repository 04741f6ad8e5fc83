/* SPDX-License-Identifier: MIT */
#include "runner/engine_log.h"

#include <errno.h>
#include <limits.h>

#include "base/bytes.h"

enum {
	STREAM_LAST = 2, /* stdin, stdout, stderr */
};

static int open_frame(struct engine_log *log) {
	struct reader r = { log->head, sizeof(log->head), false };
	uint8_t stream = reader_u8(&r);
	uint32_t zero = (uint32_t)reader_u8(&r) << 16 | reader_be16(&r);
	log->left = reader_be32(&r);
	log->have = 0;
	return stream > STREAM_LAST || zero != 0 ? -EBADMSG : 0;
}

int engine_log_take(struct engine_log *log, const char *data, size_t len, struct span *out) {
	size_t taken = 0;
	*out = (struct span){ data, 0 };
	len = len < INT_MAX ? len : INT_MAX;
	while (!log->raw && log->left == 0 && taken < len) {
		log->head[log->have++] = (uint8_t)data[taken++];
		if (log->have == sizeof(log->head)) {
			int rc = open_frame(log);
			if (rc < 0) {
				return rc;
			}
		}
	}
	size_t n = len - taken;
	n = log->raw || n < log->left ? n : log->left;
	*out = (struct span){ data + taken, n };
	log->left -= log->raw ? 0 : (uint32_t)n;
	return (int)(taken + n);
}
