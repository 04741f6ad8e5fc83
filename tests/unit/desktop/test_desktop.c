/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "rig.h"

static const struct desktop_settings settings_720p60 = {
	.width = 1280, .height = 720, .rate_mhz = 60000, .fullscreen = true
};
static const char *const pattern[] = { "pattern", "--no-sound", NULL };
static const char *const still_pattern[] = { "pattern", "--still", NULL };

static bool is_readable(struct rig *rig) {
	return rig->readable;
}

static bool has_seen_many(struct rig *rig) {
	return rig->seen >= 240;
}

static bool has_seen_some(struct rig *rig) {
	return rig->seen >= 60;
}

static bool has_an_event(struct rig *rig) {
	return rig->readable && rig->scene.events == 1;
}

static bool has_two_events(struct rig *rig) {
	return rig->readable && rig->scene.events == 2;
}

/* Late wake-ups of a loaded machine may cost a few pictures; none may come early or
 * twice, and the grid's mean is exact. */
static void check_rate(uint32_t width, uint32_t height, uint32_t hz, double least) {
	struct desktop_settings settings = settings_720p60;
	settings.width = width;
	settings.height = height;
	settings.rate_mhz = hz * 1000;
	struct rig rig;
	rig_begin(&rig, &settings);
	assert_true(rig_spawn(&rig, pattern) > 0);
	rig_run(&rig, is_readable);
	rig.seen = 0;
	rig_run(&rig, width > 1920 ? has_seen_some : has_seen_many);
	double period = 1e9 / hz;
	unsigned exact = 0;
	for (unsigned i = 1; i < rig.seen; i++) {
		assert_int_equal(rig.numbers[i], rig.numbers[i - 1] + 1);
		double interval = (double)(rig.rendered_ns[i] - rig.rendered_ns[i - 1]);
		exact += interval > 0.85 * period && interval < 1.2 * period;
	}
	uint64_t span = rig.rendered_ns[rig.seen - 1] - rig.rendered_ns[0];
	double rate = (rig.seen - 1) * 1e9 / (double)span;
	print_message("%ux%u at %u Hz: %.3f pictures a second, %u of %u intervals right\n", width,
			height, hz, rate, exact, rig.seen - 1);
	assert_int_equal(rig.width, width);
	assert_int_equal(rig.height, height);
	/* The first may have been late itself: one interval of grace. */
	assert_true(rate * (rig.seen - 2) / (rig.seen - 1) < hz * 1.002);
	assert_true(rate > least);
	rig_end(&rig);
}

static void pattern_runs_at_the_rate_and_its_numbers_rise(void **state) {
	(void)state;
	check_rate(1280, 720, 60, 30);
}

static void it_runs_at_120_hz(void **state) {
	(void)state;
	check_rate(1280, 720, 120, 45);
}

static void it_runs_at_240_hz(void **state) {
	(void)state;
	check_rate(640, 360, 240, 60);
}

static void it_runs_at_3840x2160(void **state) {
	(void)state;
	check_rate(3840, 2160, 60, 5);
}

static void what_comes_out_is_the_scene_pixel_by_pixel(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, still_pattern);
	rig_run(&rig, is_readable);
	struct pattern_texture *texture = malloc(sizeof(*texture));
	uint8_t *want = calloc(1280 * 720, 4);
	pattern_texture_draw(texture);
	pattern_scene_draw(&rig.scene, texture, true, want, 1280 * 4);
	for (uint32_t y = 0; y < 720; y += 3) {
		for (uint32_t x = 0; x < 1280; x += 7) {
			uint32_t pixel;
			memcpy(&pixel, want + (y * 1280 + x) * 4, 4);
			assert_int_equal(rig_pixel(&rig, x, y), pixel & 0xffffff);
		}
	}
	free(texture);
	free(want);
	rig_end(&rig);
}

static void a_key_and_a_click_change_the_patch(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, still_pattern);
	rig_run(&rig, is_readable);
	struct pattern_box box = pattern_patch(&rig.scene);
	rig_input(&rig, INPUT_KEY_DOWN, KEY_A, 0, 0);
	rig_input(&rig, INPUT_KEY_UP, KEY_A, 0, 0);
	rig_run(&rig, has_an_event);
	assert_int_equal(rig_pixel(&rig, box.x + 5, box.y + 5), pattern_patch_colour(1));
	rig_input(&rig, INPUT_POSITION, 0, 900, 500);
	rig_input(&rig, INPUT_BUTTON_DOWN, BTN_LEFT, 0, 0);
	rig_input(&rig, INPUT_BUTTON_UP, BTN_LEFT, 0, 0);
	rig_run(&rig, has_two_events);
	rig_dump(&rig, "click");
	rig_end(&rig);
}

static void the_cursor_is_drawn_where_it_was_put(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, still_pattern);
	rig_run(&rig, is_readable);
	uint8_t *before = malloc(1280 * 720 * 4);
	memcpy(before, rig.pixels, 1280 * 720 * 4);
	rig_input(&rig, INPUT_POSITION, 0, 500, 500);
	unsigned had = rig.pictures;
	rig_run_for(&rig, 200);
	assert_true(rig.pictures > had);
	unsigned inside = 0, outside = 0;
	for (uint32_t y = 0; y < 720; y++) {
		for (uint32_t x = 0; x < 1280; x++) {
			if (memcmp(before + (y * 1280 + x) * 4, rig.pixels + (y * 1280 + x) * 4,
					    3) != 0) {
				bool near = x + 32 > 640 && x < 640 + 64 && y + 32 > 360 &&
					    y < 360 + 64;
				near ? inside++ : outside++;
			}
		}
	}
	assert_true(inside > 20);
	assert_int_equal(outside, 0);
	rig_dump(&rig, "cursor");
	free(before);
	rig_end(&rig);
}

static bool is_at_rest(struct rig *rig) {
	return rig->readable && rig->repeats >= 5;
}

static void a_still_picture_is_refined_and_then_left_alone(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, still_pattern);
	rig_run(&rig, is_at_rest);
	unsigned pictures = rig.pictures, repeats = rig.repeats;
	uint64_t begun_ms = clock_now_ms();
	rig_run_for(&rig, 1500);
	/* Once a second, however late a busy machine lets us look. */
	uint64_t seconds = (clock_now_ms() - begun_ms) / 1000;
	assert_int_equal(rig.pictures, pictures);
	assert_in_range(rig.repeats - repeats, 1, seconds + 2);
	rig_end(&rig);
}

static bool is_1080p(struct rig *rig) {
	return rig->readable && rig->width == 1920 && rig->scene.width == 1920;
}

static void a_resize_reaches_the_client(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, pattern);
	rig_run(&rig, is_readable);
	assert_int_equal(desktop_resize(rig.desktop, 1921, 1080, 60000), -EINVAL);
	assert_int_equal(desktop_resize(rig.desktop, 7680, 4320, 60000), -EINVAL);
	rig.readable = false;
	assert_int_equal(desktop_resize(rig.desktop, 1920, 1080, 120000), 0);
	rig_run(&rig, is_1080p);
	rig_end(&rig);
}

static void a_busy_consumer_stops_the_pictures_and_not_the_desktop(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, pattern);
	rig_run(&rig, is_readable);
	rig.hold = true;
	desktop_free(rig.desktop, false);
	unsigned pictures = rig.pictures;
	rig_run_for(&rig, 300);
	assert_int_equal(rig.pictures, pictures);
	rig.hold = false;
	desktop_free(rig.desktop, true);
	rig.seen = 0;
	rig_run(&rig, has_seen_many);
	rig_end(&rig);
}

static bool has_no_window(struct rig *rig) {
	return rig->windows == 0;
}

static bool has_a_window(struct rig *rig) {
	return rig->windows == 1;
}

static bool has_two_windows(struct rig *rig) {
	return rig->windows == 2;
}

static void a_client_that_shrinks_its_buffer_hurts_only_itself(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	rig_spawn(&rig, pattern);
	rig_run(&rig, has_a_window);
	rig_run(&rig, is_readable);
	static const char *const shrinker[] = { CLIENT_PATH, "shrink", NULL };
	rig_spawn(&rig, shrinker);
	rig_run(&rig, has_two_windows);
	rig_run(&rig, has_a_window);
	rig.seen = 0;
	rig_run(&rig, has_seen_many);
	rig_end(&rig);
}

static void a_killed_client_leaves_nothing_behind(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	for (unsigned i = 0; i < 3; i++) {
		pid_t pid = rig_spawn(&rig, pattern);
		rig_run(&rig, has_a_window);
		rig_input(&rig, INPUT_KEY_DOWN, KEY_A + i, 0, 0);
		kill(pid, SIGKILL);
		rig_run(&rig, has_no_window);
	}
	desktop_release(rig.desktop, 1);
	rig_end(&rig);
}

/* Browsers do so: a callback without a new picture must come, and make no picture. */
static void callbacks_come_without_damage(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	static const char *const ticks[] = { CLIENT_PATH, "ticks", NULL };
	rig_spawn(&rig, ticks);
	rig_run(&rig, has_a_window);
	rig_run_for(&rig, 60);
	unsigned pictures = rig.pictures;
	rig_run(&rig, has_no_window);
	assert_in_range(rig.pictures, pictures, pictures + 2); /* its going is one */
	rig_end(&rig);
}

static bool shows_a_dialog(struct rig *rig) {
	return rig->windows == 2 && rig_pixel(rig, 640, 360) == 0xffffff;
}

static void a_dialog_floats_in_the_middle_of_its_parent(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	static const char *const dialog[] = { CLIENT_PATH, "dialog", NULL };
	rig_spawn(&rig, dialog);
	rig_run(&rig, shows_a_dialog);
	assert_int_equal(rig_pixel(&rig, 5, 5), 0x808080); /* the parent fills the output */
	assert_int_equal(rig_pixel(&rig, 640 - 149, 360 - 99), 0xffffff);
	assert_int_equal(rig_pixel(&rig, 640 - 151, 360 - 101), 0x808080);
	assert_int_equal(rig_pixel(&rig, 640 + 148, 360 + 98), 0xffffff);
	assert_int_equal(rig_pixel(&rig, 640 + 151, 360 + 101), 0x808080);
	rig_dump(&rig, "dialog");
	rig_end(&rig);
}

static bool shows_a_notice(struct rig *rig) {
	return rig->notice && rig_pixel(rig, 1270, 710) == 0x808080;
}

/* Ours: over all others, whoever comes later; counted by nobody, and without focus. */
static void a_notice_lies_over_everything_and_takes_no_input(void **state) {
	(void)state;
	struct rig rig;
	int pair[2];
	char number[12];
	static const char *const notice[] = { CLIENT_PATH, "window", NULL };
	rig_begin(&rig, &settings_720p60);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	assert_int_equal(desktop_notice(rig.desktop, pair[0]), 0);
	text_format(number, sizeof(number), "%d", pair[1]);
	setenv("WAYLAND_SOCKET", number, 1);
	pid_t pid = rig_spawn(&rig, notice);
	unsetenv("WAYLAND_SOCKET");
	close(pair[1]);
	rig_run(&rig, shows_a_notice);
	assert_int_equal(rig.windows, 0);
	rig_spawn(&rig, pattern);
	rig_run(&rig, has_a_window);
	rig_input(&rig, INPUT_KEY_DOWN, KEY_A, 0, 0);
	rig_run_for(&rig, 300);
	assert_true(shows_a_notice(&rig));
	assert_false(rig.readable);
	kill(pid, SIGKILL);
	rig_run(&rig, has_an_event);
	assert_false(rig.notice);
	assert_int_equal(rig.windows, 1);
	desktop_release(rig.desktop, 1);
	rig_end(&rig);
}

static bool is_ready(struct rig *rig) {
	char path[128];
	text_format(path, sizeof(path), "%s/ready", rig->folder);
	return rig->windows == 1 && access(path, F_OK) == 0;
}

/* The client has drawn and answered everything that opening a window asks. */
static bool has_rested(struct rig *rig) {
	return rig->repeats >= 3;
}

/* foot takes text through text-input; told not to, through the keymap of typing.c. */
static void check_text(bool with_text_input) {
	static const uint32_t text[] = { 'h', 0xe9, 'l', 'l', 'o', ' ', 0x20ac, 0x1f600, 0x4e2d };
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	char script[256];
	text_format(script, sizeof(script),
			"cd %s; %s touch ready; read line; echo \"$line\" > typed", rig.folder,
			with_text_input ? "" : "printf '\\033[?737769l';");
	const char *const foot[] = { "foot", "--config=/dev/null", "--log-level=none", "sh", "-c",
		script, NULL };
	setenv("LC_ALL", "C.UTF-8", 1);
	if (rig_spawn(&rig, foot) < 0) {
		rig_end(&rig);
		SKIP("foot");
	}
	rig_run(&rig, is_ready);
	rig.repeats = 0;
	rig_run(&rig, has_rested);
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		rig_input(&rig, INPUT_TEXT, text[i], 0, 0);
	}
	assert_int_equal(rig_typing_keys(&rig), with_text_input ? 0 : 8);
	rig_input(&rig, INPUT_KEY_DOWN, KEY_ENTER, 0, 0);
	rig_input(&rig, INPUT_KEY_UP, KEY_ENTER, 0, 0);
	rig_run(&rig, has_no_window);
	char got[64] = "", path[128];
	text_format(path, sizeof(path), "%s/typed", rig.folder);
	OWN(file_close) FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(got, sizeof(got), file));
	unlink(path);
	text_format(path, sizeof(path), "%s/ready", rig.folder);
	unlink(path);
	assert_string_equal(got, "h\u00e9llo \u20ac\U0001f600\u4e2d\n");
	rig_end(&rig);
}

static void text_reaches_a_client_with_text_input(void **state) {
	(void)state;
	check_text(true);
}

static void text_reaches_a_client_without_text_input(void **state) {
	(void)state;
	check_text(false);
}

#ifdef X11_CLIENT_PATH
static bool is_red(struct rig *rig) {
	return rig->windows == 1 && rig_pixel(rig, 1270, 710) == 0xff0000;
}

static bool is_green(struct rig *rig) {
	return rig_pixel(rig, 5, 5) == 0x00ff00;
}

/* The abstract socket of a display, which apps of other desktops could reach. */
static void refuses_who_has_no_file(const char *display) {
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	text_format(address.sun_path + 1, sizeof(address.sun_path) - 1, "/tmp/.X11-unix/X%s",
			display + 1);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				    strlen(address.sun_path + 1));
	OWN(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, len), -1);
	assert_int_equal(errno, ECONNREFUSED);
}

static void an_x11_window_starts_x11_fills_the_output_and_gets_keys(void **state) {
	(void)state;
	struct desktop_settings settings = settings_720p60;
	settings.xwayland = true;
	struct rig rig;
	rig_begin(&rig, &settings);
	if (access("/usr/bin/Xwayland", X_OK) < 0) {
		rig_end(&rig);
		SKIP("Xwayland");
	}
	assert_string_not_equal(desktop_x_display(rig.desktop), "");
	refuses_who_has_no_file(desktop_x_display(rig.desktop));
	assert_int_equal(rig_x11_pid(&rig), 0); /* not before somebody needs it */
	setenv("DISPLAY", desktop_x_display(rig.desktop), 1);
	static const char *const client[] = { X11_CLIENT_PATH, "--again", NULL };
	rig_spawn(&rig, client);
	rig_run(&rig, is_red);
	assert_true(rig_x11_pid(&rig) > 0);
	assert_int_equal(rig_pixel(&rig, 5, 5), 0xff0000);
	rig_input(&rig, INPUT_KEY_DOWN, KEY_A, 0, 0);
	rig_input(&rig, INPUT_KEY_UP, KEY_A, 0, 0);
	rig_run(&rig, is_green);
	refuses_who_has_no_file(desktop_x_display(rig.desktop));
	rig_dump(&rig, "x11");
	rig_end(&rig);
}
#endif

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(pattern_runs_at_the_rate_and_its_numbers_rise),
		UNIT(it_runs_at_120_hz),
		UNIT(it_runs_at_240_hz),
		UNIT(it_runs_at_3840x2160),
		UNIT(what_comes_out_is_the_scene_pixel_by_pixel),
		UNIT(a_key_and_a_click_change_the_patch),
		UNIT(the_cursor_is_drawn_where_it_was_put),
		UNIT(a_still_picture_is_refined_and_then_left_alone),
		UNIT(a_resize_reaches_the_client),
		UNIT(a_busy_consumer_stops_the_pictures_and_not_the_desktop),
		UNIT(a_client_that_shrinks_its_buffer_hurts_only_itself),
		UNIT(a_killed_client_leaves_nothing_behind),
		UNIT(callbacks_come_without_damage),
		UNIT(a_dialog_floats_in_the_middle_of_its_parent),
		UNIT(a_notice_lies_over_everything_and_takes_no_input),
		UNIT(text_reaches_a_client_with_text_input),
		UNIT(text_reaches_a_client_without_text_input),
#ifdef X11_CLIENT_PATH
		UNIT(an_x11_window_starts_x11_fills_the_output_and_gets_keys),
#endif
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
