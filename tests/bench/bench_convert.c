/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "media/convert.h"

/* Median milliseconds of one whole picture, one thread. */
enum {
	ROUNDS = 61,
};

typedef void convert_fn(const struct convert_format *, const uint8_t *, size_t, uint32_t, uint32_t,
		uint32_t, const struct convert_planes *);

static int by_value(const void *a, const void *b) {
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static double median_ms(convert_fn *convert, const struct convert_format *format, uint32_t width,
		uint32_t height) {
	size_t pixels = (size_t)width * height;
	uint8_t *bgrx = malloc(pixels * 4);
	uint8_t *yuv = malloc(pixels * 3);
	for (size_t i = 0; i < pixels * 4; i++) {
		bgrx[i] = (uint8_t)(i * 2654435761u >> 13);
	}
	struct convert_planes out = {
		.plane = { yuv, yuv + pixels, yuv + 2 * pixels },
		.stride = { width, width, width },
	};
	uint64_t took[ROUNDS];
	for (size_t i = 0; i < ROUNDS; i++) {
		uint64_t begin = clock_now_ns();
		convert(format, bgrx, (size_t)width * 4, width, 0, height, &out);
		took[i] = clock_now_ns() - begin;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_value);
	free(bgrx);
	free(yuv);
	return (double)took[ROUNDS / 2] / 1e6;
}

int main(void) {
	for (int chroma_444 = 0; chroma_444 < 2; chroma_444++) {
		struct convert_format format = { .matrix = CONVERT_BT709,
			.chroma_444 = chroma_444 != 0 };
		printf("%s fast %.2f ms at 720p, %.2f at 1080p; reference %.2f, %.2f\n",
				chroma_444 ? "I444" : "I420",
				median_ms(convert_rows, &format, 1280, 720),
				median_ms(convert_rows, &format, 1920, 1080),
				median_ms(convert_rows_reference, &format, 1280, 720),
				median_ms(convert_rows_reference, &format, 1920, 1080));
	}
	return 0;
}
