/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_SCALE_H
#define MEDIA_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* A picture for somebody who sees another size: as large as fits, in its own shape, with
 * black borders. Packed 32-bit pixels (convert.h), a range of rows at a time. Pure. */

/* Where the picture lies in what is seen; all even. */
struct scale_fit {
	uint32_t left, top, width, height;
};

struct scale_fit scale_fit(
		uint32_t width, uint32_t height, uint32_t seen_width, uint32_t seen_height);

struct scale {
	uint32_t width, height;           /* of the picture */
	uint32_t seen_width, seen_height; /* with borders */
	struct scale_fit fit;
	uint32_t *column; /* owned: of each seen column, the first one of the picture */
	uint8_t *pixels;  /* owned: what is seen, seen_width * 4 bytes a row; borders are black */
};

/* -ENOMEM. */
int scale_init(struct scale *out, uint32_t width, uint32_t height, uint32_t seen_width,
		uint32_t seen_height) NODISCARD;
void scale_finish(struct scale *scale);

/* Rows [top, bottom) of the picture have changed: draws what is seen of them. Returns in
 * top and bottom which rows of what is seen were drawn, even. */
void scale_rows(struct scale *scale, const uint8_t *pixels, size_t stride, uint32_t *top,
		uint32_t *bottom);

#endif
