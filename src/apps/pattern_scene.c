/* SPDX-License-Identifier: MIT */
#include "apps/pattern_scene.h"

#include <string.h>

enum {
	NUMBER_BITS = 32,
	EVENT_BITS = 16,
	CHECK_BITS = 8,
	REFERENCE_CELLS = 2,
	CODE_COLUMNS = 22, /* 2 + 20: the number's 40 bits take two rows */
	CODE_ROW_BITS = CODE_COLUMNS - REFERENCE_CELLS,
	CODE_ROWS = 4, /* two for the number, two for the events */
	BLACK = 0x000000,
	WHITE = 0xffffff,
};

static uint32_t cell_size(const struct pattern_scene *scene) {
	uint32_t by_height = scene->height / 36 & ~1u;
	uint32_t by_width = scene->width / 40 & ~1u;
	uint32_t size = by_height < by_width ? by_height : by_width;
	return size < 6 ? 6 : size;
}

static bool has_codes(const struct pattern_scene *scene) {
	return scene->width >= PATTERN_MIN_WIDTH && scene->height >= PATTERN_MIN_HEIGHT;
}

/* CRC-8 (polynomial 0x07), with a start value of its own for each code, so that
 * one is not taken for the other and an all-black or all-white area is neither. */
static uint8_t checksum(uint8_t seed, uint32_t value) {
	uint8_t crc = seed;
	for (int shift = 24; shift >= 0; shift -= 8) {
		crc ^= (uint8_t)(value >> shift);
		for (int bit = 0; bit < 8; bit++) {
			crc = (uint8_t)(crc & 0x80 ? crc << 1 ^ 0x07 : crc << 1);
		}
	}
	return crc;
}

struct code {
	uint32_t first_row; /* in cells */
	uint32_t bits;      /* with checksum */
	uint8_t seed;
};

static const struct code number_code = { 0, NUMBER_BITS + CHECK_BITS, 0x5a };
static const struct code event_code = { 2, EVENT_BITS + CHECK_BITS, 0xc3 };

static uint32_t codes_left(const struct pattern_scene *scene) {
	return cell_size(scene);
}

static struct pattern_box cell_box(
		const struct pattern_scene *scene, uint32_t row, uint32_t column) {
	uint32_t size = cell_size(scene);
	return (struct pattern_box){ codes_left(scene) + column * size,
		codes_left(scene) + row * size, size, size };
}

static void fill(uint8_t *pixels, size_t stride, struct pattern_box box, uint32_t colour) {
	for (uint32_t y = box.y; y < box.y + box.height; y++) {
		uint32_t *row = (uint32_t *)(void *)(pixels + y * stride) + box.x;
		for (uint32_t x = 0; x < box.width; x++) {
			row[x] = colour;
		}
	}
}

static void draw_code(const struct pattern_scene *scene, const struct code *code, uint32_t value,
		uint8_t *pixels, size_t stride) {
	uint64_t word = (uint64_t)value << CHECK_BITS | checksum(code->seed, value);
	for (uint32_t row = 0; row * CODE_ROW_BITS < code->bits; row++) {
		for (uint32_t column = 0; column < CODE_COLUMNS; column++) {
			bool white = column == 0;
			uint32_t bit = row * CODE_ROW_BITS + column - REFERENCE_CELLS;
			if (column >= REFERENCE_CELLS && bit < code->bits) {
				white = word >> (code->bits - 1 - bit) & 1;
			}
			fill(pixels, stride, cell_box(scene, code->first_row + row, column),
					white ? WHITE : BLACK);
		}
	}
}

/* Rises from 0 to top and falls back, for ever. */
static uint32_t triangle(uint32_t value, uint32_t top) {
	uint32_t at = value % (2 * top);
	return at < top ? at : 2 * top - at;
}

/* Broad soft hills with a fine weave on top: enough detail that motion costs the
 * encoder something, little enough that 8 Mbit/s carry 720p60 well. */
void pattern_texture_draw(struct pattern_texture *out) {
	for (uint32_t y = 0; y < PATTERN_TILE; y++) {
		for (uint32_t x = 0; x < PATTERN_TILE; x++) {
			uint32_t hill_x = triangle(x, PATTERN_TILE / 2);
			uint32_t hill_y = triangle(y, PATTERN_TILE / 2);
			uint32_t weave = triangle(x + y, 16) + triangle(x - y + PATTERN_TILE, 32);
			uint32_t r = 40 + hill_x + weave / 2;
			uint32_t g = 50 + hill_y + weave;
			uint32_t b = 200 - (hill_x + hill_y) / 2;
			out->pixel[y][x] = r << 16 | g << 8 | b;
		}
	}
}

uint32_t pattern_bars_top(const struct pattern_scene *scene) {
	return (scene->height - scene->height / 8) & ~1u;
}

struct pattern_box pattern_patch(const struct pattern_scene *scene) {
	uint32_t size = cell_size(scene);
	struct pattern_box box = cell_box(scene, 0, CODE_COLUMNS + 1);
	box.width = CODE_ROWS * size;
	box.height = CODE_ROWS * size;
	return box;
}

uint32_t pattern_patch_colour(uint16_t events) {
	static const uint32_t colours[] = { 0x404040, 0xe02020, 0x20c020, 0x3040e0, 0xe0c020,
		0xc030c0, 0x20c0c0, 0xe0e0e0 };
	return colours[events % ARRAY_LEN(colours)];
}

uint32_t pattern_bar_colour(uint32_t bar) {
	static const uint32_t colours[PATTERN_BARS] = { 0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
		0xff00ff, 0xff0000, 0x0000ff, 0x000000 };
	return colours[bar % PATTERN_BARS];
}

static void draw_bars(const struct pattern_scene *scene, uint8_t *pixels, size_t stride) {
	uint32_t top = pattern_bars_top(scene);
	for (uint32_t bar = 0; bar < PATTERN_BARS; bar++) {
		uint32_t left = scene->width * bar / PATTERN_BARS;
		uint32_t right = scene->width * (bar + 1) / PATTERN_BARS;
		fill(pixels, stride,
				(struct pattern_box){
						left, top, right - left, scene->height - top },
				pattern_bar_colour(bar));
	}
}

static void draw_texture(const struct pattern_scene *scene, const struct pattern_texture *texture,
		uint8_t *pixels, size_t stride) {
	uint32_t shift = scene->number * 4 % PATTERN_TILE;
	uint32_t bottom = pattern_bars_top(scene);
	for (uint32_t y = 0; y < bottom; y++) {
		uint8_t *row = pixels + y * stride;
		const uint32_t *from = texture->pixel[(y + scene->number * 2) % PATTERN_TILE];
		uint32_t x = 0;
		while (x < scene->width) {
			uint32_t at = (x + shift) % PATTERN_TILE;
			uint32_t run = PATTERN_TILE - at;
			run = run < scene->width - x ? run : scene->width - x;
			memcpy(row + (size_t)x * 4, from + at, (size_t)run * 4);
			x += run;
		}
	}
}

/* Boxes wander on paths of their own below the codes. */
static void draw_boxes(const struct pattern_scene *scene, uint8_t *pixels, size_t stride) {
	static const struct {
		uint32_t speed_x, speed_y, start, colour;
	} boxes[] = {
		{ 7, 3, 0, 0xf0f0f0 },
		{ 5, 4, 333, 0x101030 },
		{ 11, 2, 777, 0xd04020 },
		{ 3, 5, 1234, 0x20a040 },
	};
	uint32_t size = scene->height / 10;
	uint32_t top = codes_left(scene) + (CODE_ROWS + 1) * cell_size(scene);
	uint32_t bottom = pattern_bars_top(scene);
	if (bottom <= top + size + 1 || scene->width <= size + 1) {
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(boxes); i++) {
		uint32_t step = scene->number % (1u << 24) + boxes[i].start;
		struct pattern_box box = {
			.x = triangle(step * boxes[i].speed_x, scene->width - size),
			.y = top + triangle(step * boxes[i].speed_y, bottom - top - size),
			.width = size,
			.height = size,
		};
		fill(pixels, stride, box, boxes[i].colour);
	}
}

void pattern_scene_draw(const struct pattern_scene *scene, const struct pattern_texture *texture,
		bool whole, uint8_t *pixels, size_t stride) {
	draw_texture(scene, texture, pixels, stride);
	if (whole) {
		draw_bars(scene, pixels, stride);
	}
	if (!has_codes(scene)) {
		return;
	}
	draw_boxes(scene, pixels, stride);
	draw_code(scene, &number_code, scene->number, pixels, stride);
	draw_code(scene, &event_code, scene->events, pixels, stride);
	fill(pixels, stride, pattern_patch(scene), pattern_patch_colour(scene->events));
}

/* The mean of a cell's inner half, where neither scaling nor an encoder's ringing
 * reaches. */
static uint32_t read_cell(const struct pattern_picture *p, struct pattern_box box) {
	uint32_t sum = 0;
	uint32_t count = 0;
	for (uint32_t y = box.y + box.height / 4; y < box.y + box.height - box.height / 4; y++) {
		for (uint32_t x = box.x + box.width / 4; x < box.x + box.width - box.width / 4;
				x++) {
			sum += p->base[y * p->stride + x * p->step];
			count++;
		}
	}
	return sum / count;
}

static int read_code(const struct pattern_picture *p, const struct pattern_scene *scene,
		const struct code *code, uint32_t *out) {
	uint64_t word = 0;
	for (uint32_t bit = 0; bit < code->bits; bit++) {
		uint32_t row = code->first_row + bit / CODE_ROW_BITS;
		uint32_t column = REFERENCE_CELLS + bit % CODE_ROW_BITS;
		uint32_t white = read_cell(p, cell_box(scene, row, 0));
		uint32_t black = read_cell(p, cell_box(scene, row, 1));
		if (white < black + 64) {
			return -EBADMSG;
		}
		uint32_t level = read_cell(p, cell_box(scene, row, column));
		word = word << 1 | (level * 2 > white + black);
	}
	uint32_t value = (uint32_t)(word >> CHECK_BITS);
	if (checksum(code->seed, value) != (uint8_t)word) {
		return -EBADMSG;
	}
	*out = value;
	return 0;
}

int pattern_scene_read(const struct pattern_picture *picture, struct pattern_scene *out) {
	struct pattern_scene scene = { .width = picture->width, .height = picture->height };
	if (!has_codes(&scene)) {
		return -EINVAL;
	}
	uint32_t events;
	int r = read_code(picture, &scene, &number_code, &scene.number);
	if (r < 0) {
		return r;
	}
	r = read_code(picture, &scene, &event_code, &events);
	if (r < 0) {
		return r;
	}
	scene.events = (uint16_t)events;
	*out = scene;
	return 0;
}
