/* SPDX-License-Identifier: MIT */
#include "media/convert.h"

enum {
	ONE = 1 << 16, /* of the fixed point */
};

/* What a level of luma or of a colour difference adds. */
struct back {
	int32_t luma, black;
	int32_t red_v, green_u, green_v, blue_u;
};

static struct back back_of(const struct convert_format *format) {
	/* The weights of red and blue: BT.601-7 2.5.1, BT.709-6 3.2, BT.2020-2 4. */
	static const double weights[CONVERT_MATRICES][2] = {
		[CONVERT_BT601] = { 0.299, 0.114 },
		[CONVERT_BT709] = { 0.2126, 0.0722 },
		[CONVERT_BT2020] = { 0.2627, 0.0593 },
	};
	double red = weights[format->matrix][0], blue = weights[format->matrix][1];
	double green = 1 - red - blue;
	double luma = format->full_range ? 1 : 255.0 / 219,
	       chroma = format->full_range ? 1 : 255.0 / 224;
	return (struct back){
		.luma = (int32_t)(luma * ONE),
		.black = format->full_range ? 0 : 16,
		.red_v = (int32_t)(2 * (1 - red) * chroma * ONE),
		.blue_u = (int32_t)(2 * (1 - blue) * chroma * ONE),
		.green_u = (int32_t)(2 * (1 - blue) * blue / green * chroma * ONE),
		.green_v = (int32_t)(2 * (1 - red) * red / green * chroma * ONE),
	};
}

static uint8_t to_byte(int32_t value) {
	value = (value + ONE / 2) >> 16;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

void convert_to_rgb(const struct convert_format *format, const struct convert_source *source,
		uint32_t width, uint32_t height, uint8_t *out) {
	struct back back = back_of(format);
	unsigned shift = format->chroma_444 ? 0 : 1;
	for (uint32_t row = 0; row < height; row++) {
		const uint8_t *y = source->plane[0] + row * source->stride[0];
		const uint8_t *u = source->plane[1] + (row >> shift) * source->stride[1];
		const uint8_t *v = source->plane[2] + (row >> shift) * source->stride[2];
		for (uint32_t x = 0; x < width; x++, out += 3) {
			int32_t luma = (y[x] - back.black) * back.luma;
			int32_t cb = u[x >> shift] - 128, cr = v[x >> shift] - 128;
			out[0] = to_byte(luma + cr * back.red_v);
			out[1] = to_byte(luma - cb * back.green_u - cr * back.green_v);
			out[2] = to_byte(luma + cb * back.blue_u);
		}
	}
}
