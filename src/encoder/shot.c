/* SPDX-License-Identifier: MIT */
#include "encoder/shot.h"

#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "base/png.h"
#include "base/shm.h"
#include "ipc/worker.h"
#include "media/convert.h"
#include "media/jpeg.h"

enum {
	PACK_LIMIT_MS = 5000, /* the largest picture, on a busy machine */
};

static void handle_pool(
		struct shot_work *work, const struct ipc_message *message, struct ipc_fds *fds) {
	int fd = fds_take(fds, 0);
	pool_view_finish(&work->pool);
	int rc = pool_view_open(fd, &message->pool.format, message->pool.slots, message->pool.epoch,
			&work->pool);
	if (rc < 0) {
		fd_close(fd);
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: a pool that is none: %s",
				strerror(-rc));
		return;
	}
	work->has_pool = true;
	work->format = message->pool.format;
}

static uint8_t *to_rgb(const struct shot_work *work, unsigned slot) {
	const struct ipc_picture_format *format = &work->format;
	struct convert_format convert = {
		.matrix = (enum convert_matrix)format->matrix,
		.full_range = format->full_range,
		.chroma_444 = format->chroma == CHROMA_444,
	};
	struct convert_source source;
	for (unsigned plane = 0; plane < 3; plane++) {
		source.plane[plane] = pool_view_plane(&work->pool, slot, plane);
		source.stride[plane] = work->pool.layout.stride[plane];
	}
	uint8_t *rgb = malloc((size_t)format->width * format->height * 3);
	if (rgb) {
		convert_to_rgb(&convert, &source, format->width, format->height, rgb);
	}
	return rgb;
}

static int pack(const struct shot_work *work, const uint8_t *rgb, struct shm *out) {
	uint8_t *file = NULL;
	size_t size = 0;
	uint32_t width = work->format.width, height = work->format.height;
	int rc = !rgb         ? -ENOMEM
		 : work->jpeg ? jpeg_encode(rgb, width, height, &file, &size)
			      : png_encode(rgb, width, height, &file, &size);
	OWN(free) void *owned = file;
	if (rc == 0 && size > work->size_max) {
		rc = -EFBIG;
	}
	rc = rc < 0 ? rc : shm_create("screenshot", size, true, out);
	if (rc == 0) {
		memcpy(out->map, owned, size);
	}
	return rc;
}

static void take(struct shot_work *work, unsigned slot) {
	struct shm shm = SHM_NONE;
	pulse_begin(work->worker->pulse, PULSE_ENCODE, PACK_LIMIT_MS);
	OWN(free) void *rgb = to_rgb(work, slot);
	channel_close(&work->desktop);
	int rc = pack(work, (const uint8_t *)rgb, &shm);
	pulse_end(work->worker->pulse);
	if (rc < 0) {
		worker_end(work->worker, REASON_RESOURCES, "screenshot: %s", strerror(-rc));
		return;
	}
	struct ipc_message taken = { .kind = IPC_SHOT_TAKEN,
		.shot = { .size = (uint32_t)shm.size,
				.width = work->format.width,
				.height = work->format.height,
				.jpeg = work->jpeg } };
	worker_post(work->worker, &taken, &shm.fd, 1);
	shm_finish(&shm);
}

static void handle_message(
		struct channel *channel, struct ipc_message *message, struct ipc_fds *fds) {
	struct shot_work *work = (struct shot_work *)channel->user;
	if (message->kind == IPC_POOL) {
		handle_pool(work, message, fds);
		return;
	}
	if (message->kind != IPC_PICTURE ||
			(work->has_pool && message->picture.epoch < work->pool.epoch)) {
		return; /* one that crossed with a new pool: another follows */
	}
	if (!work->has_pool || message->picture.epoch != work->pool.epoch ||
			message->picture.slot >= work->pool.count) {
		worker_end(work->worker, REASON_WORKER_LIED, "desktop: no such picture slot");
		return;
	}
	take(work, message->picture.slot);
}

static void handle_closed(struct channel *channel, int error) {
	struct shot_work *work = (struct shot_work *)channel->user;
	worker_end(work->worker,
			error == -EPROTO || error == -EBADMSG ? REASON_WORKER_LIED
							      : REASON_DESKTOP_DIED,
			"the picture channel closed");
}

static const struct channel_events channel_events = {
	.message = handle_message,
	.closed = handle_closed,
};

void shot_start(struct shot_work *work, struct worker *worker, const struct ipc_message *message,
		int fd) {
	*work = (struct shot_work){ .worker = worker,
		.pool.shm = SHM_NONE,
		.desktop.fd = -1,
		.size_max = message->shot_start.size_max,
		.jpeg = message->shot_start.jpeg };
	int rc = channel_open(&work->desktop, worker->event, fd, PEER_ENCODER, PEER_DESKTOP,
			&channel_events, work);
	if (rc < 0) {
		worker_end(worker, REASON_RESOURCES, "screenshot: %s", strerror(-rc));
	}
}
