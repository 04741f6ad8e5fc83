/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "desktop/state.h"

static void step(struct desktop *desktop);

/* Asks the kernel for the next deadline; no timer runs while there is none. */
void render_arm(struct desktop *desktop) {
	uint64_t deadline = pace_deadline(&desktop->pace);
	deadline = desktop->latch.due_ns < deadline ? desktop->latch.due_ns : deadline;
	if (deadline == desktop->armed_ns) {
		return;
	}
	desktop->armed_ns = deadline;
	struct itimerspec when = { 0 };
	if (deadline != PACE_NEVER) {
		/* All zeros would disarm: the past is one nanosecond after the start. */
		uint64_t at = deadline ? deadline : 1;
		when.it_value.tv_sec = (time_t)(at / NS_PER_S);
		when.it_value.tv_nsec = (long)(at % NS_PER_S);
	}
	timerfd_settime(desktop->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int handle_timer(int fd, uint32_t mask, void *data) {
	(void)mask;
	struct desktop *desktop = data;
	uint64_t expirations;
	if (read(fd, &expirations, sizeof(expirations)) < 0) {
		return 0;
	}
	desktop->armed_ns = PACE_NEVER;
	step(desktop);
	render_arm(desktop);
	return 0;
}

/* Rows are converted in pairs. */
static void even_rows(struct desktop_picture *picture) {
	picture->changed_top &= ~1u;
	picture->changed_bottom = (picture->changed_bottom + 1) & ~1u;
	if (picture->changed_bottom > picture->height) {
		picture->changed_bottom = picture->height;
	}
}

bool render_deliver(struct desktop *desktop, struct wlr_buffer *buffer) {
	uint64_t now = clock_now_ns();
	struct desktop_picture picture = {
		.width = (uint32_t)desktop->output.width,
		.height = (uint32_t)desktop->output.height,
		.times = { .commit = desktop->damaged_ns,
				.render_begin = desktop->render_begin_ns,
				.rendered = now },
	};
	if (!desktop->scene_output ||
			!compat_changed_rows(desktop->scene_output, &picture.changed_top,
					&picture.changed_bottom)) {
		return true; /* somebody only wanted a frame callback */
	}
	even_rows(&picture);
	struct wlr_buffer *readable = compat_readable(buffer);
	void *data;
	uint32_t format;
	if (!readable ||
			!wlr_buffer_begin_data_ptr_access(readable, WLR_BUFFER_DATA_PTR_ACCESS_READ,
					&data, &format, &picture.stride)) {
		return false;
	}
	picture.pixels = data;
	desktop->changed = true;
	desktop->events->picture(desktop->user, &picture);
	wlr_buffer_end_data_ptr_access(readable);
	return true;
}

static void render(struct desktop *desktop) {
	desktop->changed = false;
	desktop->render_begin_ns = clock_now_ns();
	bool committed = compat_render(desktop->scene_output);
	uint64_t now = clock_now_ns();
	/* The grid counts from when the rendering was due, not from when it ended. */
	pace_rendered(&desktop->pace, desktop->changed, desktop->render_begin_ns);
	if (!committed && desktop->failures++ % 1000 == 0) {
		log_warning("render-failed", "times=%llu", (unsigned long long)desktop->failures);
	}
	if (desktop->changed) {
		desktop->damaged_ns = 0;
	}
	/* Damage of this very commit (a change to scan-out), or a failed one: wlroots
	 * keeps it but will not tell again. */
	if (desktop->output.needs_frame) {
		render_damage(desktop);
	}
	compat_presented(desktop->scene_output, now, pace_period_ns(&desktop->pace));
	latch_rendered(&desktop->latch, now, pace_next_tick(&desktop->pace));
}

/* Asks the clients for their next frames when it is time. */
static void ask(struct desktop *desktop) {
	uint64_t now = clock_now_ns();
	if (desktop->latch.due_ns <= now) {
		compat_send_callbacks(desktop->scene_output);
		latch_asked(&desktop->latch, now);
	}
}

static void step(struct desktop *desktop) {
	switch (pace_step(&desktop->pace, clock_now_ns())) {
	case PACE_RENDER:
		render(desktop);
		break;
	case PACE_REPEAT:
		desktop->events->repeat(desktop->user);
		break;
	case PACE_CALLBACKS:
		compat_send_callbacks(desktop->scene_output);
		compat_forget_damage(desktop->scene_output);
		break;
	case PACE_NOTHING:
		break;
	}
	ask(desktop);
}

void render_damage(struct desktop *desktop) {
	uint64_t now = clock_now_ns();
	if (desktop->damaged_ns == 0) {
		desktop->damaged_ns = now;
	}
	pace_damage(&desktop->pace, now);
	render_arm(desktop);
}

void render_committed(struct desktop *desktop) {
	latch_committed(&desktop->latch, clock_now_ns(), pace_period_ns(&desktop->pace));
	render_arm(desktop);
}

static void handle_needs_frame(struct wl_listener *listener, void *data) {
	(void)data;
	struct desktop *desktop = wl_container_of(listener, desktop, needs_frame);
	render_damage(desktop);
}

int render_begin(struct desktop *desktop) {
	latch_begin(&desktop->latch);
	pace_begin(&desktop->pace, desktop->settings.rate_mhz, clock_now_ns());
	desktop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (desktop->timer_fd < 0) {
		return -errno;
	}
	desktop->armed_ns = PACE_NEVER;
	desktop->timer = wl_event_loop_add_fd(
			desktop->loop, desktop->timer_fd, WL_EVENT_READABLE, handle_timer, desktop);
	if (!desktop->timer) {
		return -ENOMEM;
	}
	desktop->needs_frame.notify = handle_needs_frame;
	wl_signal_add(&desktop->output.events.needs_frame, &desktop->needs_frame);
	desktop->output.frame_pending = true;
	render_arm(desktop);
	return 0;
}

void render_end(struct desktop *desktop) {
	if (desktop->timer) {
		wl_event_source_remove(desktop->timer);
	}
	fd_release(&desktop->timer_fd);
}
