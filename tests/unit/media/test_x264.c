/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include <stdio.h>

#include "ipc/ring.h"
#include "picture.h"

static struct ipc_encoding encoding_of(
		unsigned width, unsigned height, unsigned rate, unsigned kbps) {
	return (struct ipc_encoding){
		.width = (uint16_t)width,
		.height = (uint16_t)height,
		.rate_x100 = rate * 100,
		.bitrate_kbps = kbps,
		.matrix = MATRIX_BT709,
		.depth = 8,
		.slices = 1,
		.order = "x264",
	};
}

static struct encoder *open_encoder(const struct ipc_encoding *encoding) {
	struct encoder_detail detail;
	struct encoder *encoder = NULL;
	int rc = encoder_open(encoding, &detail, &encoder);
	if (rc < 0) {
		fail_msg("%d: %s", rc, detail.text);
	}
	return encoder;
}

static struct encoder_packet encode(
		struct encoder *encoder, const struct planes *planes, uint64_t id, bool key) {
	struct encoder_packet packet;
	struct encoder_picture picture = planes_picture(planes, id);
	assert_int_equal(encoder_encode(encoder, &picture, key, &packet), 0);
	assert_true(packet.size > 0);
	return packet;
}

/* H.264 9.1: enough of a bit reader for a parameter set. */
struct bits {
	uint8_t bytes[256];
	size_t at, count;
};

static unsigned bits_take(struct bits *bits, unsigned n) {
	unsigned value = 0;
	while (n-- > 0) {
		assert_true(bits->at < bits->count);
		value = value << 1 | (bits->bytes[bits->at / 8] >> (7 - bits->at % 8) & 1);
		bits->at++;
	}
	return value;
}

static unsigned bits_ue(struct bits *bits) {
	unsigned zeros = 0;
	while (bits_take(bits, 1) == 0) {
		zeros++;
	}
	return (1u << zeros) - 1 + bits_take(bits, zeros);
}

/* The types of the NAL units, in order; where the first one of a type begins. */
struct units {
	uint8_t type[64];
	const uint8_t *at[64];
	size_t count;
};

static struct units units_of(const uint8_t *bytes, size_t size) {
	struct units units = { 0 };
	for (size_t i = 0; i + 3 < size; i++) {
		if (bytes[i] == 0 && bytes[i + 1] == 0 && bytes[i + 2] == 1) {
			assert_true(units.count < ARRAY_LEN(units.type));
			units.type[units.count] = bytes[i + 3] & 31;
			units.at[units.count++] = bytes + i + 3;
			i += 3;
		}
	}
	return units;
}

/* The n-th unit's bits behind its type, without the bytes that keep start codes out. */
static struct bits bits_of(const struct units *units, size_t n, const uint8_t *end) {
	struct bits bits = { 0 };
	const uint8_t *from = units->at[n] + 1;
	end = n + 1 < units->count ? units->at[n + 1] : end;
	for (unsigned zeros = 0; from < end && bits.count / 8 < sizeof(bits.bytes); from++) {
		if (zeros >= 2 && *from == 3) {
			zeros = 0;
			continue;
		}
		zeros = *from == 0 ? zeros + 1 : 0;
		bits.bytes[bits.count / 8] = *from;
		bits.count += 8;
	}
	return bits;
}

struct parameters {
	unsigned profile, constraints, level, id, references;
};

static struct parameters parameters_of(const uint8_t *bytes, size_t size) {
	struct units units = units_of(bytes, size);
	assert_int_equal(units.type[0], 7);
	struct bits bits = bits_of(&units, 0, bytes + size);
	struct parameters out = { .profile = bits_take(&bits, 8) };
	out.constraints = bits_take(&bits, 8);
	out.level = bits_take(&bits, 8);
	out.id = bits_ue(&bits);
	assert_int_equal(out.profile, 66);
	bits_ue(&bits);
	unsigned order_type = bits_ue(&bits);
	if (order_type == 0) {
		bits_ue(&bits);
	}
	out.references = bits_ue(&bits);
	return out;
}

/* H.264 7.4.2.1: a client that believed an id wrote behind its table (moonlight-qt
 * CVE-2026-41210): ours are small, and each slice's is one that was sent. */
static void ids_of_parameter_sets_are_in_range_and_meet(void **state) {
	(void)state;
	struct planes planes = planes_create(1280, 720, 2);
	struct ipc_encoding encoding = encoding_of(1280, 720, 60, 8000);
	encoding.slices = 4;
	struct encoder *encoder = open_encoder(&encoding);
	for (unsigned n = 1; n <= 4; n++) {
		planes_draw(&planes, n);
		struct encoder_packet packet = encode(encoder, &planes, n, n == 3);
		const uint8_t *end = packet.bytes + packet.size;
		struct units units = units_of(packet.bytes, packet.size);
		size_t first_slice = n == 1 || n == 3 ? 2 : 0;
		if (first_slice) {
			struct bits picture = bits_of(&units, 1, end);
			assert_int_equal(units.type[1], 8);
			assert_int_equal(parameters_of(packet.bytes, packet.size).id, 0);
			assert_int_equal(bits_ue(&picture), 0); /* its own */
			assert_int_equal(bits_ue(&picture), 0); /* the sequence's */
		}
		for (size_t i = first_slice; i < units.count; i++) {
			struct bits slice = bits_of(&units, i, end);
			bits_ue(&slice);
			assert_in_range(bits_ue(&slice), 0, 9);
			assert_int_equal(bits_ue(&slice), 0);
		}
	}
	encoder_close(encoder);
	planes_destroy(&planes);
}

static void the_buffer_is_as_deep_as_the_level_allows(void **state) {
	(void)state;
	static const struct {
		unsigned width, height, rate, kbps, level, references;
	} rows[] = {
		{ 640, 360, 60, 4000, 31, 16 },
		{ 1280, 720, 60, 8000, 32, 5 },
		{ 1280, 800, 60, 10000, 40, 8 },
		{ 1920, 1080, 30, 15000, 40, 4 },
		{ 1920, 1080, 60, 20000, 42, 4 },
		{ 1920, 1080, 120, 20000, 51, 16 },
		{ 3840, 2160, 60, 60000, 52, 5 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ipc_encoding encoding = encoding_of(
				rows[i].width, rows[i].height, rows[i].rate, rows[i].kbps);
		struct planes planes = planes_create(rows[i].width, rows[i].height, 2);
		planes_draw(&planes, 0);
		for (unsigned references = 0; references < 2; references++) {
			encoding.references = (uint8_t)references;
			struct encoder *encoder = open_encoder(&encoding);
			struct encoder_packet packet = encode(encoder, &planes, 1, false);
			struct parameters p = parameters_of(packet.bytes, packet.size);
			assert_int_equal(p.level, rows[i].level);
			assert_int_equal(p.references, references ? 1 : rows[i].references);
			assert_int_equal(p.constraints & 0xc0, 0xc0); /* constrained baseline */
			encoder_close(encoder);
		}
		planes_destroy(&planes);
	}
}

static void a_key_frame_is_parameter_sets_and_slices_and_nothing_else(void **state) {
	(void)state;
	struct planes planes = planes_create(1280, 720, 2);
	for (unsigned slices = 1; slices <= 8; slices *= 2) {
		struct ipc_encoding encoding = encoding_of(1280, 720, 60, 8000);
		encoding.slices = (uint8_t)slices;
		struct encoder *encoder = open_encoder(&encoding);
		for (unsigned n = 1; n <= 5; n++) {
			bool key = n == 1 || n == 4;
			planes_draw(&planes, n);
			struct encoder_packet packet = encode(encoder, &planes, n, n == 4);
			struct units units = units_of(packet.bytes, packet.size);
			assert_int_equal(packet.flags, key ? RING_KEY : 0);
			assert_int_equal(packet.references, key ? 0 : n - 1);
			assert_int_equal(units.count, slices + (key ? 2 : 0));
			if (key) {
				assert_int_equal(units.type[0], 7);
				assert_int_equal(units.type[1], 8);
				assert_true(units.at[2] - packet.bytes < 64);
			}
			for (size_t i = key ? 2 : 0; i < units.count; i++) {
				assert_int_equal(units.type[i], key ? 5 : 1);
			}
		}
		encoder_close(encoder);
	}
	planes_destroy(&planes);
}

/* What a leaky bucket that is emptied at the ceiling holds at the most. */
static void the_ceiling_holds_over_three_pictures(void **state) {
	(void)state;
	enum { WIDTH = 640, HEIGHT = 360, KBPS = 4000, RATE = 60, COUNT = 300 };
	struct planes planes = planes_create(WIDTH, HEIGHT, 2);
	struct ipc_encoding encoding = encoding_of(WIDTH, HEIGHT, RATE, KBPS);
	struct encoder *encoder = open_encoder(&encoding);
	double average = KBPS * 1000.0 / RATE / 8, bucket = 0, worst = 0, total = 0, key_worst = 0;
	for (unsigned n = 1; n <= COUNT; n++) {
		bool key = n % 50 == 5;
		if (n > 200) {
			planes_noise(&planes, n); /* all at once, after stillness */
		} else if (n <= 100) {
			planes_draw(&planes, n);
		}
		struct encoder_packet packet = encode(encoder, &planes, n, key);
		total += (double)packet.size;
		bucket += (double)packet.size;
		worst = bucket > worst ? bucket : worst;
		if (key && (double)packet.size > key_worst) {
			key_worst = (double)packet.size;
		}
		bucket = bucket > average ? bucket - average : 0;
	}
	printf("# key %.2f, bucket %.2f, mean %.2f average pictures\n", key_worst / average,
			worst / average, total / COUNT / average);
	assert_true(key_worst <= 4 * average);
	assert_true(worst <= 4 * average);
	assert_true(total <= 1.02 * COUNT * average);
	assert_true(total >= 0.3 * COUNT * average);
	encoder_close(encoder);
	planes_destroy(&planes);
}

static void a_lower_rate_takes_effect_at_once(void **state) {
	(void)state;
	struct planes planes = planes_create(640, 360, 2);
	struct ipc_encoding encoding = encoding_of(640, 360, 60, 8000);
	struct encoder *encoder = open_encoder(&encoding);
	size_t before = 0, after = 0;
	for (unsigned n = 1; n <= 60; n++) {
		if (n == 31) {
			assert_int_equal(encoder_set_rate(encoder, 2000), 0);
		}
		planes_noise(&planes, n);
		struct encoder_packet packet = encode(encoder, &planes, n, false);
		*(n <= 30 ? &before : &after) += packet.size;
	}
	assert_true(after * 3 < before);
	assert_int_equal(encoder_set_rate(encoder, 0), -ENOTSUP);
	assert_int_equal(encoder_set_rate(encoder, 900000), -ENOTSUP);
	encoder_close(encoder);
	planes_destroy(&planes);
}

static bool same_picture(
		const struct decoder *a, const struct decoder *b, unsigned width, unsigned height) {
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned by = plane == 0 ? 1 : 2;
		for (int y = 0; y < (int)(height / by); y++) {
			if (memcmp(a->frame->data[plane] + y * a->frame->linesize[plane],
					    b->frame->data[plane] + y * b->frame->linesize[plane],
					    width / by) != 0) {
				return false;
			}
		}
	}
	return true;
}

/* Of every 15 pictures three never arrive, and the answer comes with the next. */
static void pictures_lost_are_not_referred_to_again(void **state) {
	(void)state;
	struct planes planes = planes_create(1280, 720, 2);
	struct ipc_encoding encoding = encoding_of(1280, 720, 60, 20000);
	struct encoder *encoder = open_encoder(&encoding);
	struct decoder whole = decoder_create(), lossy = decoder_create();
	double worst = 99;
	for (unsigned n = 1; n <= 60; n++) {
		bool lost = n % 15 >= 10 && n % 15 <= 12;
		bool answer = n % 15 == 13;
		planes_draw(&planes, n);
		if (answer) {
			assert_int_equal(encoder_invalidate(encoder, n - 3), ENCODER_RECOVERS_BY_P);
		}
		struct encoder_packet packet = encode(encoder, &planes, n, false);
		uint32_t flags = n == 1 ? RING_KEY : 0;
		assert_int_equal(packet.flags, answer ? RING_AFTER_INVALIDATION : flags);
		assert_int_equal(packet.references, answer ? n - 4 : n - 1);
		assert_true(decoder_decode(&whole, packet.bytes, packet.size));
		if (!lost) {
			assert_true(decoder_decode(&lossy, packet.bytes, packet.size));
			assert_true(same_picture(&whole, &lossy, 1280, 720));
			double psnr = decoder_psnr(&lossy, &planes, 0);
			worst = psnr < worst ? psnr : worst;
		}
	}
	printf("# worst luma PSNR %.1f dB\n", worst);
	assert_true(worst > 30);
	decoder_destroy(&whole);
	decoder_destroy(&lossy);
	encoder_close(encoder);
	planes_destroy(&planes);
}

static void a_loss_without_older_pictures_needs_a_key_frame(void **state) {
	(void)state;
	struct planes planes = planes_create(640, 360, 2);
	struct ipc_encoding encoding = encoding_of(640, 360, 60, 4000);
	for (unsigned references = 0; references < 2; references++) {
		encoding.references = (uint8_t)references;
		struct encoder *encoder = open_encoder(&encoding);
		for (unsigned n = 1; n <= 30; n++) {
			planes_draw(&planes, n);
			encode(encoder, &planes, n, n == 20);
		}
		/* The key frame at 20 is the oldest that is kept. */
		assert_int_equal(encoder_invalidate(encoder, 30),
				references ? ENCODER_RECOVERS_BY_KEY : ENCODER_RECOVERS_BY_P);
		assert_int_equal(encoder_invalidate(encoder, 20), ENCODER_RECOVERS_BY_KEY);
		assert_int_equal(encoder_invalidate(encoder, 3), ENCODER_RECOVERS_BY_KEY);
		/* It makes one even when it is not told to. */
		struct encoder_packet packet = encode(encoder, &planes, 31, references == 1);
		assert_int_equal(packet.flags, RING_KEY);
		packet = encode(encoder, &planes, 32, false);
		assert_int_equal(packet.flags, 0);
		assert_int_equal(packet.references, 31);
		encoder_close(encoder);
	}
	planes_destroy(&planes);
}

static void a_wave_of_intra_blocks_repairs_without_a_key_frame(void **state) {
	(void)state;
	struct planes planes = planes_create(320, 192, 2);
	struct ipc_encoding encoding = encoding_of(320, 192, 60, 4000);
	encoding.intra_refresh = 1;
	struct encoder *encoder = open_encoder(&encoding);
	struct decoder decoder = decoder_create();
	unsigned waves = 0;
	for (unsigned n = 1; n <= 60; n++) {
		planes_draw(&planes, n);
		if (n == 11) {
			assert_int_equal(encoder_invalidate(encoder, 10), ENCODER_RECOVERS_BY_P);
		}
		struct encoder_packet packet = encode(encoder, &planes, n, false);
		assert_int_equal(packet.flags, n == 1 ? RING_KEY : n == 11 ? RING_REFRESH : 0);
		assert_int_equal(units_of(packet.bytes, packet.size).type[0], n == 1 ? 7 : 1);
		waves += packet.flags == RING_REFRESH;
		if (n != 10) {
			decoder_decode(&decoder, packet.bytes, packet.size);
		}
	}
	assert_int_equal(waves, 1);
	assert_true(decoder_psnr(&decoder, &planes, 0) > 30);
	decoder_destroy(&decoder);
	encoder_close(encoder);
	planes_destroy(&planes);
}

/* 75 % bars as planes in each matrix and range, from the formulas of
 * BT.601 and BT.709; what comes back must be what went in. */
static void draw_bars(struct planes *planes, double kr, double kb, bool full) {
	for (unsigned y = 0; y < planes->height; y++) {
		for (unsigned x = 0; x < planes->width; x++) {
			unsigned bar = 7 - x * 8 / planes->width;
			double r = bar & 2 ? .75 : 0, g = bar & 4 ? .75 : 0, b = bar & 1 ? .75 : 0;
			double luma = kr * r + (1 - kr - kb) * g + kb * b;
			double cb = (b - luma) / (2 * (1 - kb)), cr = (r - luma) / (2 * (1 - kr));
			size_t at = (size_t)(y / 2) * (planes->width / 2) + x / 2;
			planes->plane[0][y * planes->width + x] =
					(uint8_t)lround(full ? 255 * luma : 16 + 219 * luma);
			planes->plane[1][at] = (uint8_t)lround(128 + (full ? 255 : 224) * cb);
			planes->plane[2][at] = (uint8_t)lround(128 + (full ? 255 : 224) * cr);
		}
	}
}

static int worst_difference(const struct decoder *decoder, const struct planes *planes) {
	int worst = 0;
	for (unsigned plane = 0; plane < 3; plane++) {
		unsigned by = plane_divide(planes, plane), width = planes->width / by;
		for (unsigned y = 0; y < planes->height / by; y++) {
			for (unsigned x = 0; x < width; x++) {
				int d = decoder->frame->data
							[plane]
							[(int)y * decoder->frame->linesize[plane] +
									(int)x] -
					planes->plane[plane][y * width + x];
				worst = abs(d) > worst ? abs(d) : worst;
			}
		}
	}
	return worst;
}

static void colours_come_back_as_they_went_in(void **state) {
	(void)state;
	static const struct {
		uint8_t matrix;
		double kr, kb;
		int primaries, transfer, space;
	} rows[] = {
		{ MATRIX_BT601, .299, .114, 6, 6, 6 },
		{ MATRIX_BT709, .2126, .0722, 1, 1, 1 },
		{ MATRIX_BT2020, .2627, .0593, 9, 14, 9 },
	};
	struct planes planes = planes_create(640, 360, 2);
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		uint8_t full = i % 2;
		struct ipc_encoding encoding = encoding_of(640, 360, 60, 8000);
		encoding.matrix = rows[i / 2].matrix;
		encoding.full_range = full;
		struct encoder *encoder = open_encoder(&encoding);
		struct decoder decoder = decoder_create();
		draw_bars(&planes, rows[i / 2].kr, rows[i / 2].kb, full);
		for (unsigned n = 1; n <= 5; n++) {
			struct encoder_packet packet = encode(encoder, &planes, n, false);
			assert_true(decoder_decode(&decoder, packet.bytes, packet.size));
		}
		assert_true(worst_difference(&decoder, &planes) <= 2);
		assert_int_equal(decoder.frame->color_primaries, rows[i / 2].primaries);
		assert_int_equal(decoder.frame->color_trc, rows[i / 2].transfer);
		assert_int_equal(decoder.frame->colorspace, rows[i / 2].space);
		assert_int_equal(decoder.frame->color_range,
				full ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG);
		assert_int_equal(decoder.context->has_b_frames, 0);
		assert_int_equal(decoder.context->framerate.num, 60);
		assert_int_equal(decoder.context->framerate.den, 1);
		decoder_destroy(&decoder);
		encoder_close(encoder);
	}
	planes_destroy(&planes);
}

static void full_chroma_is_encoded_as_such(void **state) {
	(void)state;
	struct planes planes = planes_create(640, 360, 1);
	struct ipc_encoding encoding = encoding_of(640, 360, 60, 8000);
	encoding.chroma = CHROMA_444;
	struct encoder *encoder = open_encoder(&encoding);
	struct decoder decoder = decoder_create();
	for (unsigned n = 1; n <= 10; n++) {
		planes_draw(&planes, n);
		struct encoder_packet packet = encode(encoder, &planes, n, false);
		assert_true(decoder_decode(&decoder, packet.bytes, packet.size));
	}
	assert_int_equal(decoder.context->pix_fmt, AV_PIX_FMT_YUV444P);
	assert_true(decoder_psnr(&decoder, &planes, 1) > 30);
	decoder_destroy(&decoder);
	encoder_close(encoder);
	planes_destroy(&planes);
}

static void rates_in_hundredths_are_kept(void **state) {
	(void)state;
	struct planes planes = planes_create(320, 180, 2);
	struct ipc_encoding encoding = encoding_of(320, 180, 60, 1000);
	encoding.rate_x100 = 5994;
	struct encoder *encoder = open_encoder(&encoding);
	struct decoder decoder = decoder_create();
	struct encoder_packet packet = encode(encoder, &planes, 1, false);
	assert_true(decoder_decode(&decoder, packet.bytes, packet.size));
	assert_int_equal(decoder.context->framerate.num * 100 / decoder.context->framerate.den,
			5994);
	decoder_destroy(&decoder);
	encoder_close(encoder);
	planes_destroy(&planes);
}

static void nonsense_is_refused_with_a_reason(void **state) {
	(void)state;
	const struct ipc_encoding good = encoding_of(640, 360, 60, 4000);
	struct ipc_encoding bad[8] = { good, good, good, good, good, good, good, good };
	bad[0].width = 0;
	bad[1].height = 361;
	bad[2].rate_x100 = 0;
	bad[3].bitrate_kbps = 0;
	bad[4].slices = 33;
	bad[5].codec = CODEC_AV1;
	bad[6].depth = 10;
	memcpy(bad[7].order, "none", 5);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct encoder_detail detail;
		struct encoder *encoder = NULL;
		int rc = encoder_open(&bad[i], &detail, &encoder);
		assert_true(rc == -EINVAL || rc == -ENOENT);
		assert_true(detail.text[0] != '\0');
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(ids_of_parameter_sets_are_in_range_and_meet),
		UNIT(the_buffer_is_as_deep_as_the_level_allows),
		UNIT(a_key_frame_is_parameter_sets_and_slices_and_nothing_else),
		UNIT(the_ceiling_holds_over_three_pictures),
		UNIT(a_lower_rate_takes_effect_at_once),
		UNIT(pictures_lost_are_not_referred_to_again),
		UNIT(a_loss_without_older_pictures_needs_a_key_frame),
		UNIT(a_wave_of_intra_blocks_repairs_without_a_key_frame),
		UNIT(colours_come_back_as_they_went_in),
		UNIT(full_chroma_is_encoded_as_such),
		UNIT(rates_in_hundredths_are_kept),
		UNIT(nonsense_is_refused_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
