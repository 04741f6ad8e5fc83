/* SPDX-License-Identifier: MIT */
#include "media/scale.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	PIXEL = 4, /* bytes */
	ONE = 256, /* of a weight */
};

struct scale_fit scale_fit(
		uint32_t width, uint32_t height, uint32_t seen_width, uint32_t seen_height) {
	struct scale_fit fit = { .width = seen_width, .height = seen_height };
	if ((uint64_t)width * seen_height > (uint64_t)seen_width * height) {
		fit.height = (uint32_t)((uint64_t)seen_width * height / width) & ~1u;
	} else {
		fit.width = (uint32_t)((uint64_t)seen_height * width / height) & ~1u;
	}
	fit.width = fit.width < 2 ? 2 : fit.width;
	fit.height = fit.height < 2 ? 2 : fit.height;
	fit.left = (seen_width - fit.width) / 2 & ~1u;
	fit.top = (seen_height - fit.height) / 2 & ~1u;
	return fit;
}

/* Where pixel `at` of `count` begins in `of`. */
static uint32_t begins(uint32_t at, uint32_t count, uint32_t of) {
	return (uint32_t)((uint64_t)at * of / count);
}

int scale_init(struct scale *out, uint32_t width, uint32_t height, uint32_t seen_width,
		uint32_t seen_height) {
	*out = (struct scale){
		.width = width,
		.height = height,
		.seen_width = seen_width,
		.seen_height = seen_height,
		.fit = scale_fit(width, height, seen_width, seen_height),
		.pixels = calloc((size_t)seen_width * seen_height, PIXEL),
	};
	out->column = calloc(out->fit.width + 1, sizeof(*out->column));
	if (!out->column || !out->pixels) {
		scale_finish(out);
		return -ENOMEM;
	}
	for (uint32_t x = 0; x <= out->fit.width; x++) {
		out->column[x] = begins(x, out->fit.width, width);
	}
	return 0;
}

void scale_finish(struct scale *scale) {
	free(scale->column);
	free(scale->pixels);
	*scale = (struct scale){ 0 };
}

/* The mean of the picture's pixels under a seen one. */
static void shrink_row(const struct scale *scale, const uint8_t *pixels, size_t stride, uint32_t y,
		uint8_t *out) {
	uint32_t first = begins(y, scale->fit.height, scale->height);
	uint32_t last = begins(y + 1, scale->fit.height, scale->height);
	last = last > first ? last : first + 1;
	for (uint32_t x = 0; x < scale->fit.width; x++) {
		uint32_t left = scale->column[x], right = scale->column[x + 1];
		right = right > left ? right : left + 1;
		uint32_t sum[3] = { 0 }, count = (right - left) * (last - first);
		for (uint32_t row = first; row < last; row++) {
			const uint8_t *at = pixels + row * stride + (size_t)left * PIXEL;
			for (uint32_t column = left; column < right; column++, at += PIXEL) {
				sum[0] += at[0];
				sum[1] += at[1];
				sum[2] += at[2];
			}
		}
		for (int i = 0; i < 3; i++) {
			out[x * PIXEL + (uint32_t)i] = (uint8_t)((sum[i] + count / 2) / count);
		}
	}
}

/* Weight of the later one of the two pixels around the middle of seen pixel `at`. */
static uint32_t between(uint32_t at, uint32_t count, uint32_t of, uint32_t *out_first) {
	int64_t middle = ((int64_t)(2 * at + 1) * of * ONE / count - ONE) / 2;
	middle = middle < 0 ? 0 : middle;
	*out_first = (uint32_t)(middle / ONE);
	if (*out_first >= of - 1) {
		*out_first = of - 1;
		return 0;
	}
	return (uint32_t)(middle % ONE);
}

static void grow_row(const struct scale *scale, const uint8_t *pixels, size_t stride, uint32_t y,
		uint8_t *out) {
	uint32_t row, column;
	uint32_t down = between(y, scale->fit.height, scale->height, &row);
	const uint8_t *upper = pixels + row * stride;
	const uint8_t *lower = down ? upper + stride : upper;
	for (uint32_t x = 0; x < scale->fit.width; x++) {
		uint32_t right = between(x, scale->fit.width, scale->width, &column);
		size_t here = (size_t)column * PIXEL, there = right ? here + PIXEL : here;
		for (size_t i = 0; i < 3; i++) {
			uint32_t above = upper[here + i] * (ONE - right) + upper[there + i] * right;
			uint32_t below = lower[here + i] * (ONE - right) + lower[there + i] * right;
			out[x * PIXEL + i] = (uint8_t)((above * (ONE - down) + below * down) /
						       (ONE * ONE));
		}
	}
}

void scale_rows(struct scale *scale, const uint8_t *pixels, size_t stride, uint32_t *top,
		uint32_t *bottom) {
	const struct scale_fit *fit = &scale->fit;
	/* One more to each side, which a seen pixel is mixed of. */
	uint32_t first = begins(*top, scale->height, fit->height);
	uint32_t last = begins(*bottom, scale->height, fit->height) + 2;
	uint32_t margin = fit->height / scale->height + 1;
	first = first > margin ? first - margin : 0;
	last = last + margin < fit->height ? last + margin : fit->height;
	bool grows = fit->width > scale->width;
	for (uint32_t y = first; y < last; y++) {
		uint8_t *out = scale->pixels +
			       ((size_t)(fit->top + y) * scale->seen_width + fit->left) * PIXEL;
		if (grows) {
			grow_row(scale, pixels, stride, y, out);
		} else {
			shrink_row(scale, pixels, stride, y, out);
		}
	}
	*top = (fit->top + first) & ~1u;
	*bottom = (fit->top + last + 1) & ~1u;
	*bottom = *bottom < scale->seen_height ? *bottom : scale->seen_height;
}
