/* SPDX-License-Identifier: MIT */
#include "../unit.h"

#include "proto/fec.h"
#include "vector.h"

/* Shards of one byte each, given and expected. */
static void parity_is(size_t data, size_t parity, const char *given, const char *expected) {
	struct fec_cache cache = { 0 };
	uint8_t in[16], out[16];
	uint8_t *in_at[16], *out_at[16];
	assert_int_equal(vector_bytes(given, in), data);
	for (size_t i = 0; i < 16; i++) {
		in_at[i] = in + i;
		out_at[i] = out + i;
	}
	assert_int_equal(fec_encode(&cache, data, parity, 1, in_at, out_at), 0);
	assert_bytes(out, parity, expected);
	fec_cache_finish(&cache);
}

static void the_video_vectors_hold(void **state) {
	(void)state;
	parity_is(3, 2, "010203", "b201");
	/* One by one, the columns of the matrix. */
	parity_is(3, 2, "010000", "8ef4");
	parity_is(3, 2, "000100", "f48e");
	parity_is(3, 2, "000001", "47a7");
	parity_is(1, 2, "01", "8ef4");
}

static void the_audio_vector_holds(void **state) {
	(void)state;
	uint8_t in[4] = { 1, 2, 3, 4 }, out[2];
	uint8_t *const in_at[4] = { in, in + 1, in + 2, in + 3 };
	uint8_t *const out_at[2] = { out, out + 1 };
	fec_audio_encode(1, in_at, out_at);
	assert_bytes(out, 2, "872e");
}

struct block {
	uint8_t bytes[FEC_SHARDS_MAX][200], original[FEC_SHARDS_MAX][200];
	uint8_t *at[FEC_SHARDS_MAX];
	bool present[FEC_SHARDS_MAX];
};

static void block_fill(struct block *block, size_t shards, uint64_t *seed) {
	for (size_t i = 0; i < shards; i++) {
		block->at[i] = block->bytes[i];
		block->present[i] = true;
		for (size_t n = 0; n < sizeof(block->bytes[i]); n++) {
			block->bytes[i][n] = (uint8_t)vector_random(seed);
		}
	}
}

static void block_lose(struct block *block, size_t shards, size_t count, uint64_t *seed) {
	memcpy(block->original, block->bytes, sizeof(block->bytes));
	while (count > 0) {
		size_t i = vector_random(seed) % shards;
		if (block->present[i]) {
			block->present[i] = false;
			memset(block->bytes[i], 0xee, sizeof(block->bytes[i]));
			count--;
		}
	}
}

static void any_loss_up_to_the_parity_is_recovered(void **state) {
	(void)state;
	uint64_t seed = 1;
	struct fec_cache cache = { 0 };
	OWN(free) void *memory = calloc(1, sizeof(struct block));
	struct block *block = memory;
	for (int round = 0; round < 300; round++) {
		size_t data = 1 + vector_random(&seed) % 210;
		size_t parity = 1 +
				vector_random(&seed) %
						(FEC_SHARDS_MAX - data < 50 ? FEC_SHARDS_MAX - data
									    : 50);
		size_t len = 1 + vector_random(&seed) % 200;
		block_fill(block, data + parity, &seed);
		assert_int_equal(fec_encode(&cache, data, parity, len, block->at, block->at + data),
				0);
		size_t lost = vector_random(&seed) % (parity + 1);
		block_lose(block, data + parity, lost, &seed);
		assert_int_equal(fec_decode(data, parity, len, block->at, block->present), 0);
		for (size_t i = 0; i < data; i++) {
			assert_memory_equal(block->bytes[i], block->original[i], len);
		}
	}
	fec_cache_finish(&cache);
}

static void one_loss_more_than_the_parity_is_refused(void **state) {
	(void)state;
	uint64_t seed = 2;
	OWN(free) void *memory = calloc(1, sizeof(struct block));
	struct block *block = memory;
	block_fill(block, 12, &seed);
	block->present[0] = block->present[9] = block->present[11] = false;
	assert_int_equal(fec_decode(10, 2, 200, block->at, block->present), -EBADMSG);
}

static void the_widest_shapes_work_and_wider_ones_are_refused(void **state) {
	(void)state;
	uint64_t seed = 3;
	struct fec_cache cache = { 0 };
	OWN(free) void *memory = calloc(1, sizeof(struct block));
	struct block *block = memory;
	static const uint8_t shapes[][2] = { { 254, 1 }, { 1, 254 }, { 128, 127 }, { 127, 128 } };
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		size_t data = shapes[i][0], parity = shapes[i][1];
		block_fill(block, FEC_SHARDS_MAX, &seed);
		assert_int_equal(fec_encode(&cache, data, parity, 64, block->at, block->at + data),
				0);
		block_lose(block, FEC_SHARDS_MAX, parity, &seed);
		assert_int_equal(fec_decode(data, parity, 64, block->at, block->present), 0);
		for (size_t n = 0; n < data; n++) {
			assert_memory_equal(block->bytes[n], block->original[n], 64);
		}
	}
	assert_int_equal(fec_encode(&cache, 128, 128, 64, block->at, block->at), -EINVAL);
	assert_int_equal(fec_encode(&cache, 0, 2, 64, block->at, block->at), -EINVAL);
	assert_int_equal(fec_decode(2, 0, 64, block->at, block->present), -EINVAL);
	fec_cache_finish(&cache);
}

static void more_shapes_than_the_cache_holds_stay_right(void **state) {
	(void)state;
	struct fec_cache cache = { 0 };
	uint8_t in[40][8], out[2][8], first[40][2][8];
	uint8_t *in_at[40], *out_at[2] = { out[0], out[1] };
	for (size_t i = 0; i < 40; i++) {
		memset(in[i], (int)i + 1, sizeof(in[i]));
		in_at[i] = in[i];
	}
	for (int round = 0; round < 2; round++) {
		for (size_t data = 1; data <= 40; data++) {
			assert_int_equal(fec_encode(&cache, data, 2, 8, in_at, out_at), 0);
			if (round == 0) {
				memcpy(first[data - 1], out, sizeof(out));
			}
			assert_memory_equal(first[data - 1], out, sizeof(out));
		}
	}
	fec_cache_finish(&cache);
}

static void every_double_loss_of_an_audio_group_is_recovered(void **state) {
	(void)state;
	uint64_t seed = 4;
	OWN(free) void *memory = calloc(1, sizeof(struct block));
	struct block *block = memory;
	for (size_t a = 0; a < 6; a++) {
		for (size_t b = a; b < 6; b++) {
			block_fill(block, 6, &seed);
			fec_audio_encode(100, block->at, block->at + 4);
			block_lose(block, 6, 0, &seed);
			block->present[a] = block->present[b] = false;
			memset(block->bytes[a], 0, 100);
			memset(block->bytes[b], 0, 100);
			assert_int_equal(fec_audio_decode(100, block->at, block->present), 0);
			for (size_t i = 0; i < 4; i++) {
				assert_memory_equal(block->bytes[i], block->original[i], 100);
			}
		}
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		UNIT(the_video_vectors_hold),
		UNIT(the_audio_vector_holds),
		UNIT(any_loss_up_to_the_parity_is_recovered),
		UNIT(one_loss_more_than_the_parity_is_refused),
		UNIT(the_widest_shapes_work_and_wider_ones_are_refused),
		UNIT(more_shapes_than_the_cache_holds_stay_right),
		UNIT(every_double_loss_of_an_audio_group_is_recovered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
