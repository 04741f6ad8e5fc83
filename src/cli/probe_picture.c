/* SPDX-License-Identifier: MIT */
#include "cli/probe_picture.h"

#include <math.h>

/* The weights of red and blue in luma (ITU-R BT.601-7 2.5.1, BT.709-6 3.2), and how far
 * luma and colour differences reach in eight bits. */
struct weights {
	double red, blue;
	double luma, chroma, black;
};

static struct weights weights_of(const struct probe_colours *colours) {
	struct weights weights = {
		.red = 0.299, .blue = 0.114, .luma = 219, .chroma = 224, .black = 16
	};
	if (colours->bt709) {
		weights.red = 0.2126;
		weights.blue = 0.0722;
	}
	if (colours->full_range) {
		weights.luma = weights.chroma = 255;
		weights.black = 0;
	}
	return weights;
}

void probe_yuv_of(const struct probe_colours *colours, uint32_t rgb, int32_t out_yuv[3]) {
	struct weights weights = weights_of(colours);
	double red = (rgb >> 16 & 0xff) / 255.0;
	double green = (rgb >> 8 & 0xff) / 255.0;
	double blue = (rgb & 0xff) / 255.0;
	double y = weights.red * red + weights.blue * blue +
		   (1 - weights.red - weights.blue) * green;
	double u = (blue - y) / (2 * (1 - weights.blue));
	double v = (red - y) / (2 * (1 - weights.red));
	/* Full range differences of pure colours reach half a step too far. */
	out_yuv[0] = (int32_t)lrint((weights.black + y * weights.luma) * 256);
	out_yuv[1] = (int32_t)lrint(fmin(128 + u * weights.chroma, 255) * 256);
	out_yuv[2] = (int32_t)lrint(fmin(128 + v * weights.chroma, 255) * 256);
}

static uint8_t to_byte(double share) {
	double value = share * 255 + 0.5;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void probe_picture_to_rgb(const struct probe_picture *picture, const struct probe_colours *colours,
		uint8_t *out) {
	struct weights weights = weights_of(colours);
	unsigned shift = picture->chroma_halved ? 1 : 0;
	for (uint32_t row = 0; row < picture->height; row++) {
		const uint8_t *y = picture->plane[0] + row * picture->stride[0];
		const uint8_t *u = picture->plane[1] + (row >> shift) * picture->stride[1];
		const uint8_t *v = picture->plane[2] + (row >> shift) * picture->stride[2];
		for (uint32_t x = 0; x < picture->width; x++, out += 3) {
			double luma = (y[x] - weights.black) / weights.luma;
			double cb = (u[x >> shift] - 128) / weights.chroma;
			double cr = (v[x >> shift] - 128) / weights.chroma;
			double red = luma + 2 * (1 - weights.red) * cr;
			double blue = luma + 2 * (1 - weights.blue) * cb;
			double green = (luma - weights.red * red - weights.blue * blue) /
				       (1 - weights.red - weights.blue);
			out[0] = to_byte(red);
			out[1] = to_byte(green);
			out[2] = to_byte(blue);
		}
	}
}
