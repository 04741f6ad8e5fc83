/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <linux/input-event-codes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
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

static bool has_an_event(struct rig *rig) {
	return rig->readable && rig->scene.events == 1;
}

static bool has_two_events(struct rig *rig) {
	return rig->readable && rig->scene.events == 2;
}

/* Late wake-ups of a loaded machine may cost a few pictures; none may come early or
 * twice, and the grid's mean is exact. */
static void pattern_runs_at_the_rate_and_its_numbers_rise(void **state) {
	(void)state;
	struct rig rig;
	rig_begin(&rig, &settings_720p60);
	assert_true(rig_spawn(&rig, pattern) > 0);
	rig_run(&rig, is_readable);
	rig.seen = 0;
	rig_run(&rig, has_seen_many);
	unsigned exact = 0;
	for (unsigned i = 1; i < rig.seen; i++) {
		assert_int_equal(rig.numbers[i], rig.numbers[i - 1] + 1);
		uint64_t interval = rig.rendered_ns[i] - rig.rendered_ns[i - 1];
		exact += interval > 14 * NS_PER_MS && interval < 20 * NS_PER_MS;
	}
	uint64_t span = rig.rendered_ns[rig.seen - 1] - rig.rendered_ns[0];
	double rate = (rig.seen - 1) * 1e9 / (double)span;
	print_message("%.3f pictures a second, %u of %u intervals within 14..20 ms\n", rate, exact,
			rig.seen - 1);
	assert_true(rate < 60.1);
	assert_true(rate > 30.0);
	rig_dump(&rig, "pattern");
	rig_end(&rig);
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
	rig_run_for(&rig, 1500);
	assert_int_equal(rig.pictures, pictures);
	assert_in_range(rig.repeats - repeats, 1, 2);
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
	static const char *const shrinker[] = { SHRINKER_PATH, NULL };
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

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(pattern_runs_at_the_rate_and_its_numbers_rise),
		UNIT(what_comes_out_is_the_scene_pixel_by_pixel),
		UNIT(a_key_and_a_click_change_the_patch),
		UNIT(the_cursor_is_drawn_where_it_was_put),
		UNIT(a_still_picture_is_refined_and_then_left_alone),
		UNIT(a_resize_reaches_the_client),
		UNIT(a_busy_consumer_stops_the_pictures_and_not_the_desktop),
		UNIT(a_client_that_shrinks_its_buffer_hurts_only_itself),
		UNIT(a_killed_client_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
