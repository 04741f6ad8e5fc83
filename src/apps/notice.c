/* SPDX-License-Identifier: MIT */

/* perigee-notice: a picture that says what happened, over everything else on a desktop. It
 * gets its words from the supervisor and its connection to the compositor with them; it
 * opens fonts and nothing else, listens to no input, and knows no other process. */

#include <string.h>
#include <sys/epoll.h>

#include <systemd/sd-event.h>

#include "apps/notice_picture.h"
#include "apps/window.h"
#include "base/log.h"
#include "ipc/worker.h"

enum {
	FONTS_MS = 20000, /* the first time, all fonts of the machine may be looked at */
	DRAW_MS = 2000,
	CONNECT_MS = 3000, /* the compositor's answer */
	SAMPLE_SIDE = 256,
};

struct notice {
	struct worker worker;
	struct window *window;      /* owned; NULL before it was told what to say */
	struct sd_event_source *io; /* owned: of the window */
	struct ipc_notice words;
};

static uint32_t handle_draw(void *user, const struct window_picture *picture) {
	struct notice *notice = user;
	pulse_begin(notice->worker.pulse, PULSE_RENDER, DRAW_MS);
	int rc = notice_picture_draw(&notice->words, picture->pixels, picture->stride,
			picture->width, picture->height);
	pulse_end(notice->worker.pulse);
	if (rc < 0) {
		worker_end(&notice->worker, REASON_RESOURCES, "drawing: %s", strerror(-rc));
	}
	return picture->height;
}

static const struct window_events window_events = { .draw = handle_draw };

static int handle_window(sd_event_source *source, int fd, uint32_t revents, void *user) {
	(void)fd;
	(void)revents;
	struct notice *notice = user;
	int rc = window_handle(notice->window);
	if (rc < 0) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		worker_end(&notice->worker, REASON_DESKTOP_DIED, "the desktop is gone");
	}
	return 0;
}

static void show(struct notice *notice, struct ipc_fds *fds) {
	/* Another one if a supervisor died over the first. */
	notice->io = sd_event_source_disable_unref(notice->io);
	window_close(TAKE(notice->window, NULL));
	pulse_begin(notice->worker.pulse, PULSE_START, CONNECT_MS);
	int rc = window_open(fds_take(fds, 0), "Notice", "perigee-notice", &window_events, notice,
			&notice->window);
	pulse_end(notice->worker.pulse);
	if (rc == 0) {
		rc = sd_event_add_io(notice->worker.event, &notice->io, window_fd(notice->window),
				EPOLLIN, handle_window, notice);
	}
	if (rc < 0) {
		worker_end(&notice->worker, REASON_DESKTOP_DIED, "no window: %s", strerror(-rc));
	}
}

static void handle_message(
		struct worker *worker, struct ipc_message *message, struct ipc_fds *fds) {
	struct notice *notice = worker->user;
	if (message->kind == IPC_NOTICE_SHOW || message->kind == IPC_NOTICE_WORDS) {
		notice->words = message->notice;
	}
	if (message->kind == IPC_NOTICE_SHOW) {
		show(notice, fds);
	} else if (notice->window) {
		window_ask(notice->window);
	}
}

/* Fonts are found and read while the desktop is still starting. */
static int handle_start(struct worker *worker) {
	static const struct ipc_notice sample = { .title = "Aa", .what = "Aa", .lines = "Aa\n" };
	OWN(free) void *pixels = calloc(SAMPLE_SIDE * 4, SAMPLE_SIDE);
	pulse_begin(worker->pulse, PULSE_RENDER, FONTS_MS);
	int rc = pixels ? notice_picture_draw(&sample, pixels, SAMPLE_SIDE * 4, SAMPLE_SIDE,
					  SAMPLE_SIDE)
			: -ENOMEM;
	pulse_end(worker->pulse);
	return rc;
}

static const struct worker_class notice_class = {
	.kind = PEER_NOTICE,
	.start = handle_start,
	.message = handle_message,
};

int main(void) {
	struct notice *notice = calloc(1, sizeof(*notice));
	int rc = notice ? worker_open(&notice->worker, &notice_class, notice) : -ENOMEM;
	if (rc < 0) {
		log_error("worker-open", "error=%d", rc);
		_exit(1);
	}
	_exit(worker_run(&notice->worker));
}
