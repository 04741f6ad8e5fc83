/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_PICTURE_H
#define CLI_PROBE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* A decoded picture, eight bits, planar: borrowed from the decoder. */
struct probe_picture {
	const uint8_t *plane[3];
	size_t stride[3]; /* bytes */
	uint32_t width, height;
	bool chroma_halved; /* 4:2:0, else 4:4:4 */
};

/* What the numbers in the planes mean: what ANNOUNCE asked for, whatever the
 * bitstream says of itself. */
struct probe_colours {
	bool bt709; /* else BT.601 */
	bool full_range;
};

/* The YUV that 0xRRGGBB should be, in 1/256. */
void probe_yuv_of(const struct probe_colours *colours, uint32_t rgb, int32_t out_yuv[3]);

/* Converts to width * height RGB bytes at out. */
void probe_picture_to_rgb(const struct probe_picture *picture, const struct probe_colours *colours,
		uint8_t *out);

#endif
