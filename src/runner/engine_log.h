/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_ENGINE_LOG_H
#define RUNNER_ENGINE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/text.h"

/* What a container prints, as an engine sends it (Docker Engine API, "attach": 8 bytes of
 * head, then so many bytes of one stream), in the pieces in which it arrives. */
struct engine_log {
	bool raw; /* of a container with a terminal: no heads */
	uint8_t head[8];
	size_t have;   /* of the head */
	uint32_t left; /* of what it announced */
};

/* As http_body_take(): answers how many bytes were taken, out is what the container
 * printed. -EBADMSG for a head that is none. */
int engine_log_take(
		struct engine_log *log, const char *data, size_t len, struct span *out) NODISCARD;

#endif
