/* SPDX-License-Identifier: MIT */
#ifndef APPS_PATTERN_SCENE_H
#define APPS_PATTERN_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* The scene that Pattern draws: a pure function of a picture number, a count of
 * input events and a size, so that a test can draw picture N again and compare.
 * No I/O, no floating point: the same bytes on every machine.
 *
 *   +------------------------------------------------------------+
 *   | number code (2 rows)   patch                               |
 *   | event code  (1 row)                                        |
 *   |        a texture that drifts, boxes that wander            |
 *   +------------------------------------------------------------+
 *   | eight colour bars: white yellow cyan green magenta red blue black
 *   +------------------------------------------------------------+
 *
 * A code is cells, each a black or white square: one white, one black (they set
 * the threshold), then bits, highest first, with a checksum at the end. */
struct pattern_scene {
	uint32_t width, height; /* pixels, even */
	uint32_t number;        /* of the picture */
	uint16_t events;        /* key and button presses so far */
};

struct pattern_box {
	uint32_t x, y, width, height;
};

enum {
	PATTERN_BARS = 8,
	PATTERN_TILE = 256, /* the texture repeats after so many pixels */
	PATTERN_MIN_WIDTH = 240,
	PATTERN_MIN_HEIGHT = 120,
};

/* The texture, drawn once: XRGB8888, PATTERN_TILE squared. */
struct pattern_texture {
	uint32_t pixel[PATTERN_TILE][PATTERN_TILE];
};

void pattern_texture_draw(struct pattern_texture *out);

/* Where the moving part ends and the bars begin, in rows from the top. */
uint32_t pattern_bars_top(const struct pattern_scene *scene);

/* The square whose colour says the events (pattern_patch_colour()). */
struct pattern_box pattern_patch(const struct pattern_scene *scene);
uint32_t pattern_patch_colour(uint16_t events);

/* XRGB8888 of bar 0 .. PATTERN_BARS - 1. */
uint32_t pattern_bar_colour(uint32_t bar);

/* Draws the part of the scene that changes from picture to picture, or with
 * `whole` also the bars. pixels is XRGB8888, stride in bytes. Sizes below the
 * minimum get no codes. */
void pattern_scene_draw(const struct pattern_scene *scene, const struct pattern_texture *texture,
		bool whole, uint8_t *pixels, size_t stride);

/* A picture to read codes from: a luma plane (step 1), or the green bytes of
 * BGRX (base + 1, step 4). */
struct pattern_picture {
	const uint8_t *base; /* borrowed */
	size_t step, stride; /* bytes */
	uint32_t width, height;
};

/* What the picture says. -EBADMSG when a checksum does not match or there are
 * no codes; -EINVAL for a picture that is too small. */
int pattern_scene_read(const struct pattern_picture *picture, struct pattern_scene *out) NODISCARD;

#endif
