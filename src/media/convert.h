/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_CONVERT_H
#define MEDIA_CONVERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Packed 32-bit pictures into planar 8-bit YUV, a range of rows at a time, so
 * that only what changed is converted. Pure arithmetic: no state, any thread.
 *
 * A pixel is B, G, R, X in memory (XRGB8888 or ARGB8888 on little endian); the
 * fourth byte is ignored. */
enum convert_matrix {
	CONVERT_BT601,
	CONVERT_BT709,
	CONVERT_BT2020,
	CONVERT_MATRICES,
};

struct convert_format {
	enum convert_matrix matrix;
	bool full_range; /* Y, U, V in 0..255 rather than 16..235 and 16..240 */
	bool chroma_444; /* three planes of full size; else U, V are half in both directions */
};

struct convert_planes {
	uint8_t *plane[3]; /* Y, U, V; borrowed */
	size_t stride[3];  /* bytes from row to row */
};

/* Converts rows row_begin .. row_end - 1 of a picture width pixels wide. bgrx and
 * the planes point at row 0. Width, row_begin and row_end are even. With 4:2:0 a
 * chroma sample is the mean of its four pixels (centre siting; H.264's
 * chroma_sample_loc_type 1). Within one level of the exact matrix of ITU-R
 * BT.601-7, BT.709-6 and BT.2020-2. */
void convert_rows(const struct convert_format *format, const uint8_t *bgrx, size_t bgrx_stride,
		uint32_t width, uint32_t row_begin, uint32_t row_end,
		const struct convert_planes *out);

/* The same without vector instructions: what the fast one is tested against. */
void convert_rows_reference(const struct convert_format *format, const uint8_t *bgrx,
		size_t bgrx_stride, uint32_t width, uint32_t row_begin, uint32_t row_end,
		const struct convert_planes *out);

struct convert_source {
	const uint8_t *plane[3]; /* Y, U, V; borrowed */
	size_t stride[3];
};

/* The way back, for pictures of evidence: width * height pixels of R, G, B. A chroma
 * sample stands for all of its pixels. Within two levels of the exact matrix. */
void convert_to_rgb(const struct convert_format *format, const struct convert_source *source,
		uint32_t width, uint32_t height, uint8_t *out);

#endif
