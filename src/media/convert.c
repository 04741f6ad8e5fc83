/* SPDX-License-Identifier: MIT */
#include "media/convert.h"

#include <assert.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Every output is (b * B + g * G + r * R + bias) >> shift. The sum of four pixels
 * goes into a 4:2:0 sample, hence its shift is two larger. */
enum {
	SHIFT = 14,
	SHIFT_OF_FOUR = SHIFT + 2,
};

struct weights {
	int16_t b, g, r;
	int32_t offset; /* 16 or 0 for luma, 128 for chroma */
};

struct kernel {
	struct weights y, u, v;
};

static double scaled(double value) {
	return value * (1 << SHIFT);
}

static int16_t rounded(double value) {
	return (int16_t)(value < 0 ? value - 0.5 : value + 0.5);
}

/* Kr and Kb of the three recommendations; the rest follows from them. The green
 * weight takes the rounding error, so that grey stays exactly grey. */
static struct kernel kernel_for(const struct convert_format *format) {
	static const double red[CONVERT_MATRICES] = { 0.299, 0.2126, 0.2627 };
	static const double blue[CONVERT_MATRICES] = { 0.114, 0.0722, 0.0593 };
	double kr = red[format->matrix];
	double kb = blue[format->matrix];
	double luma = scaled(format->full_range ? 1.0 : 219.0 / 255.0);
	double chroma = scaled(format->full_range ? 0.5 : 112.0 / 255.0);

	struct kernel k = {
		.y = { .b = rounded(kb * luma),
				.r = rounded(kr * luma),
				.offset = format->full_range ? 0 : 16 },
		.u = { .b = rounded(chroma), .r = rounded(-kr / (1 - kb) * chroma), .offset = 128 },
		.v = { .b = rounded(-kb / (1 - kr) * chroma), .r = rounded(chroma), .offset = 128 },
	};
	k.y.g = (int16_t)(rounded(luma) - k.y.b - k.y.r);
	k.u.g = (int16_t)(-k.u.b - k.u.r);
	k.v.g = (int16_t)(-k.v.b - k.v.r);
	return k;
}

static int32_t bias_of(const struct weights *w, int shift) {
	return (w->offset << shift) + (1 << (shift - 1));
}

static inline uint8_t weigh(const struct weights *w, int b, int g, int r, int shift) {
	int32_t value = (w->b * b + w->g * g + w->r * r + bias_of(w, shift)) >> shift;
	return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* One plane of full size: a row of pixels from `from` on. */
static void full_row(const struct weights *w, const uint8_t *in, uint32_t from, uint32_t width,
		uint8_t *out) {
	for (uint32_t x = from; x < width; x++) {
		const uint8_t *p = in + (size_t)x * 4;
		out[x] = weigh(w, p[0], p[1], p[2], SHIFT);
	}
}

/* One row of both half-size planes from two rows of pixels. */
static void half_row(const struct kernel *k, const uint8_t *top, const uint8_t *bottom,
		uint32_t from, uint32_t width, uint8_t *out_u, uint8_t *out_v) {
	for (uint32_t x = from; x < width; x += 2) {
		const uint8_t *p = top + (size_t)x * 4;
		const uint8_t *q = bottom + (size_t)x * 4;
		int b = p[0] + p[4] + q[0] + q[4];
		int g = p[1] + p[5] + q[1] + q[5];
		int r = p[2] + p[6] + q[2] + q[6];
		out_u[x / 2] = weigh(&k->u, b, g, r, SHIFT_OF_FOUR);
		out_v[x / 2] = weigh(&k->v, b, g, r, SHIFT_OF_FOUR);
	}
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

enum {
	BLOCK = 32, /* pixels a step */
};

AVX2 static inline __m256i load(const uint8_t *at) {
	return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline __m256i spread(const struct weights *w) {
	return _mm256_setr_epi16(w->b, w->g, w->r, 0, w->b, w->g, w->r, 0, w->b, w->g, w->r, 0,
			w->b, w->g, w->r, 0);
}

/* Eight pixels into eight 32-bit results, in order. */
AVX2 static inline __m256i weigh_eight(const uint8_t *in, __m256i weights, __m256i bias) {
	__m256i zero = _mm256_setzero_si256();
	__m256i pixels = load(in);
	__m256i low = _mm256_madd_epi16(_mm256_unpacklo_epi8(pixels, zero), weights);
	__m256i high = _mm256_madd_epi16(_mm256_unpackhi_epi8(pixels, zero), weights);
	__m256i sum = _mm256_add_epi32(_mm256_hadd_epi32(low, high), bias);
	return _mm256_srai_epi32(sum, SHIFT);
}

/* Returns how many pixels were done; the caller does the rest. */
AVX2 static uint32_t full_row_avx2(
		const struct weights *w, const uint8_t *in, uint32_t width, uint8_t *out) {
	__m256i weights = spread(w);
	__m256i bias = _mm256_set1_epi32(bias_of(w, SHIFT));
	__m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	uint32_t x = 0;
	for (; x + BLOCK <= width; x += BLOCK) {
		const uint8_t *p = in + (size_t)x * 4;
		__m256i ab = _mm256_packs_epi32(
				weigh_eight(p, weights, bias), weigh_eight(p + 32, weights, bias));
		__m256i cd = _mm256_packs_epi32(weigh_eight(p + 64, weights, bias),
				weigh_eight(p + 96, weights, bias));
		__m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), order);
		_mm256_storeu_si256((__m256i *)(void *)(out + x), bytes);
	}
	return x;
}

/* Eight by two pixels into U0 U1 V0 V1 | U2 U3 V2 V3, 32 bits each. */
AVX2 static inline __m256i weigh_quads(const uint8_t *top, const uint8_t *bottom, __m256i weights_u,
		__m256i weights_v, __m256i bias) {
	__m256i zero = _mm256_setzero_si256();
	__m256i p = load(top);
	__m256i q = load(bottom);
	__m256i low = _mm256_add_epi16(
			_mm256_unpacklo_epi8(p, zero), _mm256_unpacklo_epi8(q, zero));
	__m256i high = _mm256_add_epi16(
			_mm256_unpackhi_epi8(p, zero), _mm256_unpackhi_epi8(q, zero));
	__m256i sum = _mm256_add_epi16(
			_mm256_unpacklo_epi64(low, high), _mm256_unpackhi_epi64(low, high));
	__m256i uv = _mm256_hadd_epi32(
			_mm256_madd_epi16(sum, weights_u), _mm256_madd_epi16(sum, weights_v));
	return _mm256_srai_epi32(_mm256_add_epi32(uv, bias), SHIFT_OF_FOUR);
}

AVX2 static uint32_t half_row_avx2(const struct kernel *k, const uint8_t *top,
		const uint8_t *bottom, uint32_t width, uint8_t *out_u, uint8_t *out_v) {
	__m256i wu = spread(&k->u);
	__m256i wv = spread(&k->v);
	__m256i bias = _mm256_set1_epi32(bias_of(&k->u, SHIFT_OF_FOUR));
	/* In each half: the four pairs of U, then the four pairs of V. */
	__m128i sort = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
	uint32_t x = 0;
	for (; x + BLOCK <= width; x += BLOCK) {
		const uint8_t *p = top + (size_t)x * 4;
		const uint8_t *q = bottom + (size_t)x * 4;
		__m256i ab = _mm256_packs_epi32(weigh_quads(p, q, wu, wv, bias),
				weigh_quads(p + 32, q + 32, wu, wv, bias));
		__m256i cd = _mm256_packs_epi32(weigh_quads(p + 64, q + 64, wu, wv, bias),
				weigh_quads(p + 96, q + 96, wu, wv, bias));
		__m256i bytes = _mm256_packus_epi16(ab, cd);
		__m128i even = _mm_shuffle_epi8(_mm256_castsi256_si128(bytes), sort);
		__m128i odd = _mm_shuffle_epi8(_mm256_extracti128_si256(bytes, 1), sort);
		_mm_storeu_si128((__m128i *)(void *)(out_u + x / 2), _mm_unpacklo_epi16(even, odd));
		_mm_storeu_si128((__m128i *)(void *)(out_v + x / 2), _mm_unpackhi_epi16(even, odd));
	}
	return x;
}

static bool have_avx2(void) {
	return __builtin_cpu_supports("avx2");
}
#else
static bool have_avx2(void) {
	return false;
}

static uint32_t full_row_avx2(
		const struct weights *w, const uint8_t *in, uint32_t width, uint8_t *out) {
	(void)w, (void)in, (void)width, (void)out;
	return 0;
}

static uint32_t half_row_avx2(const struct kernel *k, const uint8_t *top, const uint8_t *bottom,
		uint32_t width, uint8_t *out_u, uint8_t *out_v) {
	(void)k, (void)top, (void)bottom, (void)width, (void)out_u, (void)out_v;
	return 0;
}
#endif

static void plane_row(const struct weights *w, const uint8_t *in, uint32_t width, bool fast,
		uint8_t *out) {
	uint32_t done = fast ? full_row_avx2(w, in, width, out) : 0;
	full_row(w, in, done, width, out);
}

static void convert(const struct convert_format *format, const uint8_t *bgrx, size_t bgrx_stride,
		uint32_t width, uint32_t row_begin, uint32_t row_end, bool fast,
		const struct convert_planes *out) {
	assert(width % 2 == 0 && row_begin % 2 == 0 && row_end % 2 == 0);
	struct kernel k = kernel_for(format);
	for (uint32_t y = row_begin; y < row_end; y++) {
		const uint8_t *in = bgrx + y * bgrx_stride;
		plane_row(&k.y, in, width, fast, out->plane[0] + y * out->stride[0]);
		if (format->chroma_444) {
			plane_row(&k.u, in, width, fast, out->plane[1] + y * out->stride[1]);
			plane_row(&k.v, in, width, fast, out->plane[2] + y * out->stride[2]);
		} else if (y % 2 == 1) {
			/* The row above is still in the cache. */
			const uint8_t *above = in - bgrx_stride;
			uint8_t *u = out->plane[1] + y / 2 * out->stride[1];
			uint8_t *v = out->plane[2] + y / 2 * out->stride[2];
			uint32_t done = fast ? half_row_avx2(&k, above, in, width, u, v) : 0;
			half_row(&k, above, in, done, width, u, v);
		}
	}
}

void convert_rows(const struct convert_format *format, const uint8_t *bgrx, size_t bgrx_stride,
		uint32_t width, uint32_t row_begin, uint32_t row_end,
		const struct convert_planes *out) {
	convert(format, bgrx, bgrx_stride, width, row_begin, row_end, have_avx2(), out);
}

void convert_rows_reference(const struct convert_format *format, const uint8_t *bgrx,
		size_t bgrx_stride, uint32_t width, uint32_t row_begin, uint32_t row_end,
		const struct convert_planes *out) {
	convert(format, bgrx, bgrx_stride, width, row_begin, row_end, false, out);
}
