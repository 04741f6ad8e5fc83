/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "desktop/state.h"

static void handle_picture(void *user, const struct desktop_picture *picture) {
	struct rig *rig = user;
	size_t row = (size_t)picture->width * 4;
	if (picture->width != rig->width || picture->height != rig->height) {
		free(rig->pixels);
		rig->pixels = calloc(picture->height, row);
		rig->width = picture->width;
		rig->height = picture->height;
		assert_int_equal(picture->changed_top, 0);
		assert_int_equal(picture->changed_bottom, picture->height);
	}
	assert_true(picture->changed_top < picture->changed_bottom);
	assert_true(picture->changed_bottom <= picture->height);
	for (uint32_t y = picture->changed_top; y < picture->changed_bottom; y++) {
		memcpy(rig->pixels + y * row, picture->pixels + y * picture->stride, row);
	}
	rig->pictures++;
	struct pattern_picture code = { rig->pixels + 1, 4, row, rig->width, rig->height };
	rig->readable = pattern_scene_read(&code, &rig->scene) == 0;
	if (rig->readable && rig->seen < RIG_SEEN_MAX) {
		rig->numbers[rig->seen] = rig->scene.number;
		rig->rendered_ns[rig->seen++] = picture->times.render_begin;
	}
	desktop_free(rig->desktop, !rig->hold);
}

static void handle_repeat(void *user) {
	((struct rig *)user)->repeats++;
}

static void handle_windows(void *user, unsigned count, bool notice) {
	((struct rig *)user)->windows = count;
	((struct rig *)user)->notice = notice;
}

static void handle_clip(void *user, uint32_t request, int rc, const void *text, size_t len) {
	struct rig *rig = user;
	assert_int_equal(request, 7);
	rig->clips++;
	rig->clip_rc = rc;
	rig->clip_len = len;
	memset(rig->clip, 0, sizeof(rig->clip));
	if (len) {
		memcpy(rig->clip, text, len < sizeof(rig->clip) ? len : sizeof(rig->clip) - 1);
	}
}

static const struct desktop_events events = {
	.picture = handle_picture,
	.repeat = handle_repeat,
	.windows = handle_windows,
	.clip = handle_clip,
};

static int listen_at(const char *path) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	assert_true(text_copy(address.sun_path, sizeof(address.sun_path), path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void rig_begin(struct rig *rig, const struct desktop_settings *settings) {
	*rig = (struct rig){ 0 };
	text_copy(rig->folder, sizeof(rig->folder), "/tmp/perigee-desktop-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	text_format(rig->display, sizeof(rig->display), "%s/wayland", rig->folder);
	setenv("XDG_RUNTIME_DIR", rig->folder, 1);
	setenv("WAYLAND_DISPLAY", rig->display, 1);
	unsetenv("DISPLAY");
	assert_int_equal(desktop_create(settings, listen_at(rig->display), &events, rig,
					 &rig->desktop),
			0);
	desktop_watch(rig->desktop, true);
	desktop_free(rig->desktop, true);
}

void rig_end(struct rig *rig) {
	desktop_destroy(rig->desktop);
	for (size_t i = 0; i < RIG_CLIENTS; i++) {
		if (rig->clients[i] > 0) {
			kill(rig->clients[i], SIGKILL);
			waitpid(rig->clients[i], NULL, 0);
		}
	}
	unlink(rig->display);
	rmdir(rig->folder);
	free(rig->pixels);
}

pid_t rig_spawn(struct rig *rig, const char *const argv[]) {
	const char *program = strcmp(argv[0], "pattern") == 0 ? PATTERN_PATH : argv[0];
	pid_t pid;
	if (posix_spawnp(&pid, program, NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0) {
		return -1;
	}
	for (size_t i = 0; i < RIG_CLIENTS; i++) {
		if (rig->clients[i] == 0) {
			rig->clients[i] = pid;
			return pid;
		}
	}
	abort();
}

void rig_run(struct rig *rig, bool (*done)(struct rig *rig)) {
	uint64_t deadline = clock_now_ms() + RIG_DEADLINE_MS;
	while (!done(rig)) {
		uint64_t now = clock_now_ms();
		assert_true(now < deadline);
		/* Not all that a test waits for is an event of the desktop. */
		desktop_dispatch(rig->desktop, RIG_LOOK_MS);
	}
}

void rig_run_for(struct rig *rig, unsigned ms) {
	uint64_t deadline = clock_now_ms() + ms;
	for (uint64_t now = clock_now_ms(); now < deadline; now = clock_now_ms()) {
		desktop_dispatch(rig->desktop, (int)(deadline - now));
	}
}

void rig_input(struct rig *rig, enum ipc_input_kind kind, uint32_t code, int32_t x, int32_t y) {
	struct desktop_input input = {
		.kind = kind, .code = code, .x = x, .y = y, .w = 1000, .h = 1000
	};
	desktop_input(rig->desktop, 1, &input);
}

unsigned rig_typing_keys(const struct rig *rig) {
	return rig->desktop->typist.count;
}

bool rig_has_timer(const struct rig *rig) {
	struct itimerspec timer;
	assert_int_equal(timerfd_gettime(rig->desktop->timer_fd, &timer), 0);
	return timer.it_value.tv_sec || timer.it_value.tv_nsec;
}

pid_t rig_x11_pid(const struct rig *rig) {
#if WLR_HAS_XWAYLAND
	return rig->desktop->xwayland ? rig->desktop->xwayland->server->pid : 0;
#else
	(void)rig;
	return 0;
#endif
}

uint32_t rig_pixel(const struct rig *rig, uint32_t x, uint32_t y) {
	uint32_t pixel;
	if (x >= rig->width || y >= rig->height) {
		return 0; /* no picture yet */
	}
	memcpy(&pixel, rig->pixels + ((size_t)y * rig->width + x) * 4, sizeof(pixel));
	return pixel & 0xffffff;
}

void rig_dump(const struct rig *rig, const char *name) {
	const char *folder = getenv("RIG_DUMP");
	if (!folder || !rig->pixels) {
		return;
	}
	char path[256];
	text_format(path, sizeof(path), "%s/%s.ppm", folder, name);
	OWN(file_close) FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "P6 %u %u 255\n", rig->width, rig->height);
	for (size_t i = 0; i < (size_t)rig->width * rig->height; i++) {
		const uint8_t *p = rig->pixels + i * 4;
		fputc(p[2], file);
		fputc(p[1], file);
		fputc(p[0], file);
	}
}
