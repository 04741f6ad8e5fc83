/* SPDX-License-Identifier: MIT */

/* perigee-art: draws box art for apps that have none. Fonts are read and parsed
 * here, which is why nobody else does it. */

#include <string.h>

#include "apps/box_art.h"
#include "base/log.h"
#include "ipc/worker.h"

enum {
	DRAW_MS = 20000, /* the first time, all fonts of the machine may be looked at */
};

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	(void)fds;
	if (message->kind != IPC_ART_DRAW) {
		return;
	}
	OWN(fd_close) int fd = -1;
	pulse_begin(worker->pulse, PULSE_RENDER, DRAW_MS);
	int rc = box_art_draw(message->art_draw.title, &fd);
	pulse_end(worker->pulse);
	if (rc < 0) {
		worker_fail(worker, REASON_RESOURCES, "art for %s: %s", message->art_draw.title,
				strerror(-rc));
		return;
	}
	struct ipc_message drawn = { .kind = IPC_ART_DRAWN, .art_draw.app = message->art_draw.app };
	worker_post(worker, &drawn, &fd, 1);
}

static const struct worker_class art_class = {
	.kind = PEER_ART,
	.message = handle_message,
};

int main(void) {
	struct worker worker;
	int rc = worker_open(&worker, &art_class, NULL);
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	_exit(worker_run(&worker));
}
