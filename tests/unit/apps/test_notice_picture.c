/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include <cairo.h>

#include "apps/notice_picture.h"
#include "base/text.h"

struct canvas {
	uint32_t width, height;
	uint8_t *pixels; /* owned */
};

static const uint32_t sizes[][2] = { { 1280, 720 }, { 1920, 1080 }, { 3840, 2160 }, { 2560, 1080 },
	{ 800, 600 }, { 360, 800 }, { 320, 180 }, { 64, 64 } };

static const struct ipc_notice usual = {
	.title = "Terminal",
	.what = "Terminal ended with an error.",
	.why = "It ended with status 3.",
	.next = "This stream ends now. Launch Terminal again to go on.",
	.lines = "reading /etc/foot.ini\nerror: no such font: Comic Sans\nfatal: giving up\n",
	.code = "app-failed",
};

static struct canvas draw(const struct ipc_notice *words, uint32_t width, uint32_t height) {
	struct canvas canvas = { width, height, malloc((size_t)width * height * 4) };
	assert_non_null(canvas.pixels);
	memset(canvas.pixels, 0xff, (size_t)width * height * 4);
	assert_int_equal(
			notice_picture_draw(words, canvas.pixels, (size_t)width * 4, width, height),
			0);
	return canvas;
}

/* To be looked at: PERIGEE_TEST_PICTURES names a folder. */
static void save(const struct canvas *canvas, const char *name) {
	const char *folder = getenv("PERIGEE_TEST_PICTURES");
	char path[300];
	if (folder && text_format(path, sizeof(path), "%s/%s-%ux%u.png", folder, name,
				      canvas->width, canvas->height)) {
		cairo_surface_t *surface = cairo_image_surface_create_for_data(canvas->pixels,
				CAIRO_FORMAT_RGB24, (int)canvas->width, (int)canvas->height,
				(int)canvas->width * 4);
		cairo_surface_write_to_png(surface, path);
		cairo_surface_destroy(surface);
	}
}

static const uint8_t *pixel(const struct canvas *canvas, uint32_t x, uint32_t y) {
	return canvas->pixels + ((size_t)y * canvas->width + x) * 4;
}

/* Letters are light, the ground is dark and the same along a row. */
static bool row_has_letters(const struct canvas *canvas, uint32_t y) {
	for (uint32_t x = canvas->width / 20; x < canvas->width; x++) {
		if (pixel(canvas, x, y)[1] > 0xc0) {
			return true;
		}
	}
	return false;
}

static uint32_t tallest_letters(const struct canvas *canvas) {
	uint32_t tallest = 0, run = 0;
	for (uint32_t y = 0; y < canvas->height; y++) {
		run = row_has_letters(canvas, y) ? run + 1 : 0;
		tallest = run > tallest ? run : tallest;
	}
	return tallest;
}

static void assert_margins(const struct canvas *canvas) {
	for (uint32_t y = 0; y < canvas->height; y++) {
		const uint8_t *ground = pixel(canvas, canvas->width - 1, y);
		for (uint32_t x = canvas->width - canvas->width / 50; x < canvas->width; x++) {
			assert_memory_equal(pixel(canvas, x, y), ground, 3);
		}
	}
	for (uint32_t y = 0; y < canvas->height; y++) {
		if (y < canvas->height / 50 || y >= canvas->height - canvas->height / 50) {
			assert_false(row_has_letters(canvas, y));
		}
	}
}

static void it_fits_any_size_and_is_read_from_a_sofa(void **state) {
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct canvas canvas = draw(&usual, sizes[i][0], sizes[i][1]);
		save(&canvas, "usual");
		assert_margins(&canvas);
		/* A thirtieth of the height is what subtitles have. */
		uint32_t side = canvas.height < canvas.width ? canvas.height : canvas.width;
		assert_true(tallest_letters(&canvas) >= side / 30);
		free(canvas.pixels);
	}
}

static void fill(char *text, size_t size, const char *word) {
	size_t used = 0, len = strlen(word);
	for (; used + len < size; used += len) {
		memcpy(text + used, word, len);
	}
	text[used] = '\0';
}

static void the_longest_words_fit_too(void **state) {
	(void)state;
	static const char *const words[] = { "W", "word ", "\xc3\xa4\xe2\x82\xac ", "\xff",
		"line\n" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct ipc_notice full;
		fill(full.title, sizeof(full.title), words[i]);
		fill(full.what, sizeof(full.what), words[i]);
		fill(full.why, sizeof(full.why), words[i]);
		fill(full.next, sizeof(full.next), words[i]);
		fill(full.lines, sizeof(full.lines), words[i]);
		fill(full.code, sizeof(full.code), "x");
		for (size_t j = 0; j < 5; j++) {
			struct canvas canvas = draw(&full, sizes[j][0], sizes[j][1]);
			save(&canvas, i == 1 ? "full" : i == 4 ? "broken" : "odd");
			assert_margins(&canvas);
			free(canvas.pixels);
		}
	}
}

static void the_same_words_look_the_same_and_others_do_not(void **state) {
	(void)state;
	struct ipc_notice other = usual;
	text_copy(other.lines, sizeof(other.lines), "");
	struct canvas first = draw(&usual, 1280, 720), again = draw(&usual, 1280, 720);
	struct canvas different = draw(&other, 1280, 720);
	save(&different, "no-lines");
	assert_memory_equal(first.pixels, again.pixels, 1280 * 720 * 4);
	assert_memory_not_equal(first.pixels, different.pixels, 1280 * 720 * 4);
	free(first.pixels);
	free(again.pixels);
	free(different.pixels);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(it_fits_any_size_and_is_read_from_a_sofa),
		UNIT(the_longest_words_fit_too),
		UNIT(the_same_words_look_the_same_and_others_do_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
