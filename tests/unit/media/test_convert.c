/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/convert.h"

enum {
	WIDTH = 70, /* two blocks of 32 and a rest */
	HEIGHT = 12,
};

struct picture {
	uint8_t bgrx[HEIGHT][WIDTH * 4];
	uint8_t y[HEIGHT][WIDTH], u[HEIGHT][WIDTH], v[HEIGHT][WIDTH];
};

static struct convert_planes planes_of(struct picture *p) {
	return (struct convert_planes){
		.plane = { p->y[0], p->u[0], p->v[0] },
		.stride = { WIDTH, WIDTH, WIDTH },
	};
}

static void fill_noise(struct picture *p) {
	uint32_t state = 12345;
	uint8_t *at = p->bgrx[0];
	for (size_t i = 0; i < sizeof(p->bgrx); i++) {
		state = state * 1664525u + 1013904223u;
		at[i] = (uint8_t)(state >> 24);
	}
}

/* The textbook formula in floating point. */
static void exact(const struct convert_format *f, double r, double g, double b, double out[3]) {
	static const double red[] = { 0.299, 0.2126, 0.2627 };
	static const double blue[] = { 0.114, 0.0722, 0.0593 };
	double kr = red[f->matrix], kb = blue[f->matrix];
	double luma = kr * r + (1 - kr - kb) * g + kb * b;
	double pb = (b - luma) / (2 * (1 - kb));
	double pr = (r - luma) / (2 * (1 - kr));
	out[0] = f->full_range ? luma : 16 + luma * 219 / 255;
	out[1] = 128 + (f->full_range ? pb : pb * 224 / 255);
	out[2] = 128 + (f->full_range ? pr : pr * 224 / 255);
}

static void for_every_format(void (*check)(const struct convert_format *format)) {
	for (int matrix = 0; matrix < CONVERT_MATRICES; matrix++) {
		for (int bits = 0; bits < 4; bits++) {
			check(&(struct convert_format){ .matrix = (enum convert_matrix)matrix,
					.full_range = bits & 1,
					.chroma_444 = bits & 2 });
		}
	}
}

static void check_bars(const struct convert_format *format) {
	for (int colour = 0; colour < 27; colour++) {
		static const uint8_t levels[] = { 0, 191, 255 };
		uint8_t r = levels[colour % 3], g = levels[colour / 3 % 3], b = levels[colour / 9];
		struct picture p;
		for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
			memcpy(p.bgrx[0] + i * 4, (uint8_t[]){ b, g, r, 7 }, 4);
		}
		struct convert_planes out = planes_of(&p);
		convert_rows(format, p.bgrx[0], WIDTH * 4, WIDTH, 0, HEIGHT, &out);
		double want[3];
		exact(format, r, g, b, want);
		for (size_t x = 0; x < WIDTH / 2; x++) {
			assert_true(fabs(p.y[5][x] - want[0]) <= 1.0);
			assert_true(fabs(p.u[2][x] - fmin(want[1], 255)) <= 1.0);
			assert_true(fabs(p.v[2][x] - fmin(want[2], 255)) <= 1.0);
		}
	}
}

static void colour_bars_are_within_one_level_of_the_exact_matrix(void **state) {
	(void)state;
	for_every_format(check_bars);
}

static void check_same(const struct convert_format *format) {
	struct picture fast, slow;
	memset(&fast, 0, sizeof(fast));
	fill_noise(&fast);
	slow = fast;
	struct convert_planes to_fast = planes_of(&fast), to_slow = planes_of(&slow);
	convert_rows(format, fast.bgrx[0], WIDTH * 4, WIDTH, 0, HEIGHT, &to_fast);
	convert_rows_reference(format, slow.bgrx[0], WIDTH * 4, WIDTH, 0, HEIGHT, &to_slow);
	assert_memory_equal(&fast, &slow, sizeof(fast));
}

static void vectors_and_reference_agree_on_every_byte(void **state) {
	(void)state;
	for_every_format(check_same);
}

static void check_grey(const struct convert_format *format) {
	for (int level = 0; level < 256; level++) {
		struct picture p;
		memset(&p, level, sizeof(p));
		struct convert_planes out = planes_of(&p);
		convert_rows(format, p.bgrx[0], WIDTH * 4, WIDTH, 0, 2, &out);
		assert_int_equal(p.u[0][3], 128);
		assert_int_equal(p.v[0][3], 128);
	}
}

static void grey_has_no_colour(void **state) {
	(void)state;
	for_every_format(check_grey);
}

static void check_rows(const struct convert_format *format) {
	struct picture p;
	memset(&p, 0xee, sizeof(p));
	struct picture before = p;
	struct convert_planes out = planes_of(&p);
	memset(p.bgrx, 0, sizeof(p.bgrx));
	convert_rows(format, p.bgrx[0], WIDTH * 4, WIDTH, 4, 8, &out);
	assert_memory_equal(p.y[0], before.y[0], 4 * WIDTH);
	assert_memory_equal(p.y[8], before.y[8], 4 * WIDTH);
	assert_int_equal(p.y[4][0], format->full_range ? 0 : 16);
	assert_int_equal(p.y[7][WIDTH - 1], format->full_range ? 0 : 16);
	size_t first = format->chroma_444 ? 4 : 2;
	assert_int_equal(p.u[first - 1][0], 0xee);
	assert_int_equal(p.u[first][0], 128);
	assert_int_equal(p.v[first * 2][0], 0xee);
}

static void only_the_asked_rows_are_written(void **state) {
	(void)state;
	for_every_format(check_rows);
}

/* Colours that lie in pairs of two by two pixels, so that halved chroma loses nothing. */
static void check_back(const struct convert_format *format) {
	struct picture p;
	fill_noise(&p);
	for (size_t y = 0; y < HEIGHT; y++) {
		for (size_t x = 0; x < WIDTH; x++) {
			memcpy(&p.bgrx[y][x * 4], &p.bgrx[y / 2 * 2][x / 2 * 8], 4);
		}
	}
	struct convert_planes planes = planes_of(&p);
	convert_rows(format, p.bgrx[0], WIDTH * 4, WIDTH, 0, HEIGHT, &planes);
	struct convert_source source = { .plane = { p.y[0], p.u[0], p.v[0] },
		.stride = { WIDTH, WIDTH, WIDTH } };
	uint8_t rgb[HEIGHT * WIDTH * 3];
	convert_to_rgb(format, &source, WIDTH, HEIGHT, rgb);
	for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
		for (size_t c = 0; c < 3; c++) {
			int got = rgb[i * 3 + c], want = p.bgrx[i / WIDTH][i % WIDTH * 4 + 2 - c];
			assert_true(abs(got - want) <= 4);
		}
	}
}

static void the_way_back_finds_the_colours_again(void **state) {
	(void)state;
	for_every_format(check_back);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(colour_bars_are_within_one_level_of_the_exact_matrix),
		UNIT(vectors_and_reference_agree_on_every_byte),
		UNIT(grey_has_no_colour),
		UNIT(only_the_asked_rows_are_written),
		UNIT(the_way_back_finds_the_colours_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
