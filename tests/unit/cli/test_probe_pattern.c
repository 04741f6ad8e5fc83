/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/png.h"
#include "cli/probe_pattern.h"

enum {
	WIDTH = 640,
	HEIGHT = 360,
};

/* What a faithful host would send of a scene, 4:2:0. */
struct sent {
	uint8_t luma[HEIGHT][WIDTH];
	uint8_t chroma[2][HEIGHT / 2][WIDTH / 2];
};

static struct sent *encode(struct pattern_scene scene, struct probe_colours colours) {
	struct pattern_texture *texture = malloc(sizeof(*texture));
	uint32_t *pixels = calloc(WIDTH * HEIGHT, 4);
	struct sent *sent = malloc(sizeof(*sent));
	pattern_texture_draw(texture);
	pattern_scene_draw(&scene, texture, true, (uint8_t *)pixels, WIDTH * 4);
	for (uint32_t y = 0; y < HEIGHT; y += 2) {
		for (uint32_t x = 0; x < WIDTH; x += 2) {
			int32_t sum[3] = { 0 };
			for (uint32_t i = 0; i < 4; i++) {
				uint32_t row = y + i / 2, column = x + i % 2;
				int32_t yuv[3];
				probe_yuv_of(&colours, pixels[row * WIDTH + column], yuv);
				sent->luma[row][column] = (uint8_t)((yuv[0] + 128) / 256);
				sum[1] += yuv[1];
				sum[2] += yuv[2];
			}
			sent->chroma[0][y / 2][x / 2] = (uint8_t)((sum[1] + 512) / 1024);
			sent->chroma[1][y / 2][x / 2] = (uint8_t)((sum[2] + 512) / 1024);
		}
	}
	free(pixels);
	free(texture);
	return sent;
}

static struct probe_picture picture_of(const struct sent *sent) {
	return (struct probe_picture){
		.plane = { sent->luma[0], sent->chroma[0][0], sent->chroma[1][0] },
		.stride = { WIDTH, WIDTH / 2, WIDTH / 2 },
		.width = WIDTH,
		.height = HEIGHT,
		.chroma_halved = true,
	};
}

static double luma_psnr_between(struct probe_colours asked, struct probe_colours got) {
	struct pattern_scene scene = { WIDTH, HEIGHT, 77, 3 };
	struct sent *sent = encode(scene, got);
	struct probe_picture picture = picture_of(sent);
	struct probe_pattern pattern;
	probe_pattern_init(&pattern, &asked);
	struct pattern_scene seen;
	assert_int_equal(probe_pattern_look(&pattern, &picture, &seen), 0);
	assert_int_equal(seen.number, 77);
	assert_int_equal(seen.events, 3);
	assert_int_equal(probe_pattern_compare(&pattern, &picture, &seen), 0);
	double psnr = samples_minimum(&pattern.stats.psnr_luma);
	double chroma = samples_minimum(&pattern.stats.psnr_chroma);
	probe_pattern_finish(&pattern);
	free(sent);
	return psnr < chroma ? psnr : chroma;
}

static void a_faithful_picture_is_told_from_one_in_other_colours(void **state) {
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		struct probe_colours colours = { kind & 1, kind & 2 };
		struct probe_colours other = { !colours.bt709, colours.full_range };
		struct probe_colours range = { colours.bt709, !colours.full_range };
		double same = luma_psnr_between(colours, colours);
		assert_true(same > 60);
		assert_true(luma_psnr_between(colours, other) < 33);
		assert_true(luma_psnr_between(colours, range) < 35);
	}
}

static void numbers_are_counted_once_and_in_order(void **state) {
	(void)state;
	static const uint32_t numbers[] = { 10, 11, 11, 13, 12, 14 };
	struct probe_colours colours = { 0 };
	struct probe_pattern pattern;
	probe_pattern_init(&pattern, &colours);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct sent *sent = encode(
				(struct pattern_scene){ WIDTH, HEIGHT, numbers[i], 0 }, colours);
		struct probe_picture picture = picture_of(sent);
		struct pattern_scene seen;
		assert_int_equal(probe_pattern_look(&pattern, &picture, &seen), 0);
		free(sent);
	}
	assert_int_equal(pattern.stats.pictures, 6);
	assert_int_equal(pattern.stats.first, 10);
	assert_int_equal(pattern.stats.last, 14);
	assert_int_equal(pattern.stats.repeated, 1);
	assert_int_equal(pattern.stats.backwards, 1);
	probe_pattern_finish(&pattern);
}

static void a_picture_without_codes_is_no_pattern(void **state) {
	(void)state;
	struct sent *sent = calloc(1, sizeof(*sent));
	struct probe_picture picture = picture_of(sent);
	struct probe_pattern pattern;
	probe_pattern_init(&pattern, &(struct probe_colours){ 0 });
	struct pattern_scene seen;
	assert_int_equal(probe_pattern_look(&pattern, &picture, &seen), -EBADMSG);
	assert_int_equal(pattern.stats.unreadable, 1);
	probe_pattern_finish(&pattern);
	free(sent);
}

static void known_colours_have_their_known_values(void **state) {
	(void)state;
	static const struct {
		struct probe_colours colours;
		uint32_t rgb;
		int32_t yuv[3];
	} known[] = {
		/* BT.601 limited white, red, blue; BT.709 limited red; full range black. */
		{ { false, false }, 0xffffff, { 235, 128, 128 } },
		{ { false, false }, 0xff0000, { 81, 90, 240 } },
		{ { false, false }, 0x0000ff, { 41, 240, 110 } },
		{ { true, false }, 0xff0000, { 63, 102, 240 } },
		{ { true, true }, 0x000000, { 0, 128, 128 } },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		int32_t yuv[3];
		probe_yuv_of(&known[i].colours, known[i].rgb, yuv);
		for (int plane = 0; plane < 3; plane++) {
			assert_int_equal((yuv[plane] + 128) / 256, known[i].yuv[plane]);
		}
		uint8_t bytes[3] = { (uint8_t)((yuv[0] + 128) / 256),
			(uint8_t)((yuv[1] + 128) / 256), (uint8_t)((yuv[2] + 128) / 256) };
		struct probe_picture picture = { { &bytes[0], &bytes[1], &bytes[2] }, { 1, 1, 1 },
			1, 1, false };
		uint8_t rgb[3];
		probe_picture_to_rgb(&picture, &known[i].colours, rgb);
		for (int c = 0; c < 3; c++) {
			int want = (int)(known[i].rgb >> (16 - 8 * c) & 0xff);
			assert_in_range(rgb[c] + 3, want, want + 6);
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(a_faithful_picture_is_told_from_one_in_other_colours),
		UNIT(numbers_are_counted_once_and_in_order),
		UNIT(a_picture_without_codes_is_no_pattern),
		UNIT(known_colours_have_their_known_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
