/* SPDX-License-Identifier: MIT */
#ifndef ENCODER_SHOT_H
#define ENCODER_SHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/channel.h"
#include "ipc/message.h"
#include "ipc/pool.h"

/* A screenshot: the first picture of a desktop's pool becomes a PNG or a JPEG. The slot goes back
 * before anything is packed, so that nobody waits for that. */

struct worker;

struct shot_work {
	struct worker *worker; /* borrowed */
	struct channel desktop;
	struct pool_view pool;
	struct ipc_picture_format format;
	uint32_t size_max; /* bytes */
	bool jpeg;
	bool has_pool;
};

/* Takes fd, the picture channel. Tells the supervisor (SHOT_TAKEN), or the worker ends with
 * a reason. */
void shot_start(struct shot_work *work, struct worker *worker, const struct ipc_message *message,
		int fd);

#endif
