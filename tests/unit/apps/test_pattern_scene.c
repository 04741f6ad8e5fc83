/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "apps/pattern_scene.h"

struct canvas {
	uint32_t width, height;
	uint8_t *pixels;
};

static const struct pattern_texture *texture(void) {
	struct pattern_texture *made = malloc(sizeof(*made));
	assert_non_null(made);
	pattern_texture_draw(made);
	return made;
}

static struct canvas draw(struct pattern_scene scene, bool whole) {
	struct canvas canvas = { scene.width, scene.height,
		calloc((size_t)scene.width * scene.height, 4) };
	const struct pattern_texture *t = texture();
	pattern_scene_draw(&scene, t, whole, canvas.pixels, (size_t)scene.width * 4);
	free((void *)(uintptr_t)t);
	return canvas;
}

static int read_green(const struct canvas *canvas, struct pattern_scene *out) {
	struct pattern_picture picture = { canvas->pixels + 1, 4, (size_t)canvas->width * 4,
		canvas->width, canvas->height };
	return pattern_scene_read(&picture, out);
}

static void the_codes_are_read_back_at_every_size(void **state) {
	(void)state;
	static const uint32_t sizes[][2] = { { 240, 120 }, { 320, 240 }, { 640, 480 },
		{ 720, 1280 }, { 1280, 720 }, { 1366, 768 }, { 1920, 1080 } };
	static const uint32_t numbers[] = { 0, 1, 59, 0x12345678, UINT32_MAX };
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		for (size_t n = 0; n < ARRAY_LEN(numbers); n++) {
			struct canvas canvas = draw((struct pattern_scene){ sizes[s][0],
								    sizes[s][1], numbers[n], 4711 },
					true);
			struct pattern_scene got;
			assert_int_equal(read_green(&canvas, &got), 0);
			assert_int_equal(got.number, numbers[n]);
			assert_int_equal(got.events, 4711);
			free(canvas.pixels);
		}
	}
}

static void noise_and_low_contrast_do_not_hurt_the_codes(void **state) {
	(void)state;
	struct canvas canvas = draw((struct pattern_scene){ 1280, 720, 987654, 3 }, true);
	uint32_t random = 1;
	for (size_t i = 0; i < (size_t)1280 * 720 * 4; i++) {
		random = random * 1664525u + 1013904223u;
		canvas.pixels[i] = (uint8_t)(canvas.pixels[i] / 2 + 40 + (random >> 24) / 4);
	}
	struct pattern_scene got;
	assert_int_equal(read_green(&canvas, &got), 0);
	assert_int_equal(got.number, 987654);
	assert_int_equal(got.events, 3);
	free(canvas.pixels);
}

static void a_flipped_cell_is_noticed(void **state) {
	(void)state;
	for (uint32_t column = 2; column < 22; column++) {
		struct canvas canvas = draw((struct pattern_scene){ 1280, 720, 1000, 7 }, true);
		uint32_t size = 20;
		for (uint32_t y = size; y < 2 * size; y++) {
			for (uint32_t x = (1 + column) * size; x < (2 + column) * size; x++) {
				uint8_t *p = canvas.pixels + ((size_t)y * 1280 + x) * 4;
				p[1] = (uint8_t)~p[1];
			}
		}
		struct pattern_scene got = { .number = 5 };
		assert_int_equal(read_green(&canvas, &got), -EBADMSG);
		assert_int_equal(got.number, 5);
		free(canvas.pixels);
	}
}

static void a_blank_picture_has_no_number(void **state) {
	(void)state;
	for (int level = 0; level < 256; level += 51) {
		struct canvas canvas = { 640, 480, malloc(640 * 480 * 4) };
		memset(canvas.pixels, level, 640 * 480 * 4);
		struct pattern_scene got;
		assert_int_equal(read_green(&canvas, &got), -EBADMSG);
		free(canvas.pixels);
	}
}

static void the_same_number_is_the_same_picture_and_the_next_one_moves(void **state) {
	(void)state;
	struct canvas a = draw((struct pattern_scene){ 640, 480, 10, 0 }, true);
	struct canvas b = draw((struct pattern_scene){ 640, 480, 10, 0 }, true);
	struct canvas c = draw((struct pattern_scene){ 640, 480, 11, 0 }, true);
	assert_memory_equal(a.pixels, b.pixels, 640 * 480 * 4);
	size_t moved = 0;
	for (size_t i = 0; i < 640 * 480; i++) {
		moved += memcmp(a.pixels + i * 4, c.pixels + i * 4, 4) != 0;
	}
	assert_true(moved > 640 * 480 / 2);
	free(a.pixels);
	free(b.pixels);
	free(c.pixels);
}

static void a_partial_drawing_leaves_the_bars_alone(void **state) {
	(void)state;
	struct pattern_scene scene = { 640, 480, 10, 0 };
	struct canvas canvas = draw(scene, false);
	size_t top = pattern_bars_top(&scene);
	for (size_t i = top * 640 * 4; i < 640 * 480 * 4; i++) {
		assert_int_equal(canvas.pixels[i], 0);
	}
	free(canvas.pixels);
}

static void an_event_changes_the_patch(void **state) {
	(void)state;
	struct pattern_scene scene = { 640, 480, 10, 0 };
	struct pattern_box box = pattern_patch(&scene);
	for (uint16_t events = 0; events < 20; events++) {
		scene.events = events;
		struct canvas canvas = draw(scene, true);
		uint32_t pixel;
		memcpy(&pixel, canvas.pixels + ((box.y + 2) * 640 + box.x + 2) * 4, 4);
		assert_int_equal(pixel, pattern_patch_colour(events));
		assert_int_not_equal(pattern_patch_colour(events),
				pattern_patch_colour((uint16_t)(events + 1)));
		free(canvas.pixels);
	}
}

static void tiny_pictures_are_drawn_without_codes(void **state) {
	(void)state;
	for (uint32_t side = 2; side < 40; side += 2) {
		struct canvas canvas = draw((struct pattern_scene){ side, side, 3, 3 }, true);
		struct pattern_scene got;
		assert_int_equal(read_green(&canvas, &got), -EINVAL);
		free(canvas.pixels);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_codes_are_read_back_at_every_size),
		UNIT(noise_and_low_contrast_do_not_hurt_the_codes),
		UNIT(a_flipped_cell_is_noticed),
		UNIT(a_blank_picture_has_no_number),
		UNIT(the_same_number_is_the_same_picture_and_the_next_one_moves),
		UNIT(a_partial_drawing_leaves_the_bars_alone),
		UNIT(an_event_changes_the_patch),
		UNIT(tiny_pictures_are_drawn_without_codes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
