/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include <cairo.h>

#include "apps/home_picture.h"
#include "base/text.h"
#include "base/own.h"
#include "home_world.h"

static const uint32_t sizes[][2] = { { 1280, 720 }, { 1920, 1080 }, { 3840, 2160 }, { 2560, 1080 },
	{ 800, 600 }, { 360, 800 }, { 320, 180 }, { 64, 64 } };

static void page_of(enum home_screen screen, struct home_page *page) {
	struct home_model model;
	struct home_world world = home_world_usual();
	struct home_request request;
	home_begin(&model);
	home_learn(&model, &world);
	if (screen != HOME_WHO) {
		home_click(&model, screen == HOME_PIN ? 1 : 0, &request);
	}
	if (screen == HOME_LOBBY || screen == HOME_APP) {
		home_click(&model, screen == HOME_LOBBY ? 0 : 2, &request);
	}
	assert_int_equal(model.screen, screen);
	home_show(&model, page);
}

static uint8_t *draw(const struct home_page *page, uint32_t width, uint32_t height) {
	uint8_t *pixels = malloc((size_t)width * height * 4);
	assert_non_null(pixels);
	memset(pixels, 0xff, (size_t)width * height * 4);
	assert_int_equal(home_picture_draw(page, pixels, (size_t)width * 4, width, height), 0);
	return pixels;
}

/* To be looked at: PERIGEE_TEST_PICTURES names a folder. */
static void save(uint8_t *pixels, uint32_t width, uint32_t height, int screen) {
	const char *folder = getenv("PERIGEE_TEST_PICTURES");
	char path[300];
	if (folder && text_format(path, sizeof(path), "%s/home-%d-%ux%u.png", folder, screen, width,
				      height)) {
		cairo_surface_t *surface = cairo_image_surface_create_for_data(pixels,
				CAIRO_FORMAT_RGB24, (int)width, (int)height, (int)width * 4);
		cairo_surface_write_to_png(surface, path);
		cairo_surface_destroy(surface);
	}
}

/* The selection's frame is the only thing in that colour. */
static bool is_frame(const uint8_t *pixel) {
	return pixel[2] > 0xd0 && pixel[1] > 0x90 && pixel[1] < 0xc0 && pixel[0] < 0x70;
}

static unsigned frame_pixels(const uint8_t *pixels, uint32_t width, uint32_t height,
		const struct home_rectangle *at, double around) {
	unsigned count = 0;
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			bool inside = x >= at->x - around && x <= at->x + at->width + around &&
				      y >= at->y - around && y <= at->y + at->height + around;
			count += inside && is_frame(pixels + ((size_t)y * width + x) * 4);
		}
	}
	return count;
}

static void every_page_at_every_size(void **state) {
	(void)state;
	for (int screen = 0; screen < HOME_SCREENS; screen++) {
		struct home_page page;
		page_of((enum home_screen)screen, &page);
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			uint32_t width = sizes[i][0], height = sizes[i][1];
			uint8_t *pixels = draw(&page, width, height);
			struct home_rectangle all = { 0, 0, width, height };
			struct home_rectangle at =
					home_item_at(&page, page.selected, width, height);
			unsigned framed = frame_pixels(pixels, width, height, &at, 3 + width / 200);
			assert_true(width < 320 || framed > 0);
			assert_int_equal(framed, frame_pixels(pixels, width, height, &all, 0));
			save(pixels, width, height, screen);
			free(pixels);
		}
	}
}

static void the_same_page_gives_the_same_picture(void **state) {
	(void)state;
	struct home_page page;
	page_of(HOME_MAIN, &page);
	uint8_t *one = draw(&page, 640, 360), *two = draw(&page, 640, 360);
	assert_memory_equal(one, two, (size_t)640 * 360 * 4);
	page.selected = 3;
	uint8_t *other = draw(&page, 640, 360);
	assert_memory_not_equal(one, other, (size_t)640 * 360 * 4);
	free(one);
	free(two);
	free(other);
}

static void items_lie_beside_each_other_and_are_found(void **state) {
	(void)state;
	for (int screen = 0; screen < HOME_SCREENS; screen++) {
		struct home_page page;
		page_of((enum home_screen)screen, &page);
		for (unsigned i = 0; i < page.count; i++) {
			struct home_rectangle at = home_item_at(&page, i, 1280, 720);
			assert_true(at.x >= 0 && at.x + at.width <= 1280);
			assert_int_equal(home_item_under(&page, at.x + at.width / 2,
							 at.y + at.height / 2, 1280, 720),
					i);
		}
		assert_int_equal(home_item_under(&page, 1, 1, 1280, 720), page.count);
	}
}

static void what_is_selected_is_inside(void **state) {
	(void)state;
	struct home_page page = { .columns = 3, .count = HOME_ITEMS_MAX };
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		for (unsigned item = 0; item < page.count; item++) {
			page.selected = item;
			struct home_rectangle at =
					home_item_at(&page, item, sizes[i][0], sizes[i][1]);
			assert_true(at.y >= 0 && at.y + at.height <= sizes[i][1]);
		}
	}
}

/* Names come from other people: no bytes of theirs may break the picture. */
static void any_bytes_are_drawn(void **state) {
	(void)state;
	struct home_page page;
	page_of(HOME_MAIN, &page);
	memset(page.items[0].label, 0xfe, sizeof(page.items[0].label) - 1);
	memset(page.items[1].label, 'W', sizeof(page.items[1].label) - 1);
	text_copy(page.items[2].label, sizeof(page.items[2].label), "two\nlines\t<b>");
	free(draw(&page, 640, 360));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(every_page_at_every_size),
		UNIT(the_same_page_gives_the_same_picture),
		UNIT(items_lie_beside_each_other_and_are_found),
		UNIT(what_is_selected_is_inside),
		UNIT(any_bytes_are_drawn),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
