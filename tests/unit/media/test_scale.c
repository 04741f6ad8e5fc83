/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "media/scale.h"

static void it_fits_and_is_centred(void **state) {
	(void)state;
	struct scale_fit fit = scale_fit(1920, 1080, 1280, 720);
	assert_int_equal(fit.width, 1280);
	assert_int_equal(fit.height, 720);
	assert_int_equal(fit.left + fit.top, 0);
	fit = scale_fit(1920, 1080, 1024, 768);
	assert_int_equal(fit.width, 1024);
	assert_int_equal(fit.height, 576);
	assert_int_equal(fit.left, 0);
	assert_int_equal(fit.top, 96);
	fit = scale_fit(640, 480, 1280, 720);
	assert_int_equal(fit.width, 960);
	assert_int_equal(fit.height, 720);
	assert_int_equal(fit.left, 160);
}

static uint8_t *grey(uint32_t width, uint32_t height, uint8_t level) {
	uint8_t *pixels = malloc((size_t)width * height * 4);
	assert_non_null(pixels);
	memset(pixels, level, (size_t)width * height * 4);
	return pixels;
}

static void check_one_colour(
		uint32_t width, uint32_t height, uint32_t seen_width, uint32_t seen_height) {
	struct scale scale;
	assert_int_equal(scale_init(&scale, width, height, seen_width, seen_height), 0);
	uint8_t *pixels = grey(width, height, 77);
	uint32_t top = 0, bottom = height;
	scale_rows(&scale, pixels, (size_t)width * 4, &top, &bottom);
	assert_true(top <= scale.fit.top && bottom >= scale.fit.top + scale.fit.height);
	for (uint32_t y = 0; y < seen_height; y++) {
		for (uint32_t x = 0; x < seen_width; x++) {
			bool inside = x >= scale.fit.left && x < scale.fit.left + scale.fit.width &&
				      y >= scale.fit.top && y < scale.fit.top + scale.fit.height;
			assert_int_equal(scale.pixels[((size_t)y * seen_width + x) * 4 + 1],
					inside ? 77 : 0);
		}
	}
	free(pixels);
	scale_finish(&scale);
}

static void one_colour_stays_one_colour_with_black_around(void **state) {
	(void)state;
	check_one_colour(1920, 1080, 1280, 720);
	check_one_colour(1280, 720, 1920, 1200);
	check_one_colour(640, 480, 1280, 720);
	check_one_colour(64, 64, 66, 130);
	check_one_colour(1000, 64, 64, 64);
}

/* Whatever band of rows changes, drawing its rows gives the same as drawing all. */
static void a_band_is_drawn_as_the_whole_is(
		uint32_t width, uint32_t height, uint32_t seen_width, uint32_t seen_height) {
	struct scale banded, whole;
	assert_int_equal(scale_init(&banded, width, height, seen_width, seen_height), 0);
	assert_int_equal(scale_init(&whole, width, height, seen_width, seen_height), 0);
	uint8_t *pixels = grey(width, height, 10);
	size_t stride = (size_t)width * 4;
	uint32_t top = 0, bottom = height;
	scale_rows(&banded, pixels, stride, &top, &bottom);
	for (uint32_t from = 0; from + 6 < height; from += 14) {
		memset(pixels + from * stride, 200 - (int)(from % 100), 6 * stride);
		top = from;
		bottom = from + 6;
		scale_rows(&banded, pixels, stride, &top, &bottom);
		top = 0;
		bottom = height;
		scale_rows(&whole, pixels, stride, &top, &bottom);
		assert_memory_equal(
				banded.pixels, whole.pixels, (size_t)seen_width * seen_height * 4);
	}
	free(pixels);
	scale_finish(&banded);
	scale_finish(&whole);
}

static void bands(void **state) {
	(void)state;
	a_band_is_drawn_as_the_whole_is(192, 108, 128, 72);
	a_band_is_drawn_as_the_whole_is(128, 72, 192, 120);
	a_band_is_drawn_as_the_whole_is(64, 48, 400, 300);
	a_band_is_drawn_as_the_whole_is(300, 200, 40, 30);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(it_fits_and_is_centred),
		UNIT(one_colour_stays_one_colour_with_black_around),
		UNIT(bands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
