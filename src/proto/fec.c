/* SPDX-License-Identifier: MIT */
#include "proto/fec.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <isa-l/erasure_code.h>

enum {
	TABLE_PER_CELL = 32, /* what ISA-L expands a coefficient to */
};

static const uint8_t audio_matrix[FEC_AUDIO_PARITY * FEC_AUDIO_DATA] = {
	0x77,
	0x40,
	0x38,
	0x0e, /* one row for each parity shard */
	0xc7,
	0xa7,
	0x0d,
	0x6c,
};

static bool shape_is_valid(size_t data, size_t parity, size_t len) {
	return data > 0 && parity > 0 && data + parity <= FEC_SHARDS_MAX && len > 0 &&
	       len <= INT_MAX;
}

static uint8_t cauchy(size_t parity, size_t row, size_t column) {
	return gf_inv((uint8_t)((parity + column) ^ row));
}

static void cauchy_fill(size_t data, size_t parity, uint8_t *out) {
	for (size_t row = 0; row < parity; row++) {
		for (size_t column = 0; column < data; column++) {
			*out++ = cauchy(parity, row, column);
		}
	}
}

static void multiply(size_t len, size_t columns, size_t rows, uint8_t *tables, uint8_t *const *in,
		uint8_t *const *out) {
	/* ISA-L writes through neither array of pointers. */
	ec_encode_data((int)len, (int)columns, (int)rows, tables, (uint8_t **)(uintptr_t)in,
			(uint8_t **)(uintptr_t)out);
}

void fec_cache_finish(struct fec_cache *cache) {
	for (size_t i = 0; i < FEC_CACHE_SIZE; i++) {
		free(cache->places[i].table);
	}
	*cache = (struct fec_cache){ 0 };
}

/* The place that holds the shape, or the one to give up for it. */
static struct fec_tables *place_for(struct fec_cache *cache, size_t data, size_t parity) {
	struct fec_tables *oldest = &cache->places[0];
	for (size_t i = 0; i < FEC_CACHE_SIZE; i++) {
		struct fec_tables *place = &cache->places[i];
		if (place->data == data && place->parity == parity) {
			return place;
		}
		if (place->used < oldest->used) {
			oldest = place;
		}
	}
	return oldest;
}

static uint8_t *tables_for(struct fec_cache *cache, size_t data, size_t parity) {
	struct fec_tables *place = place_for(cache, data, parity);
	place->used = ++cache->clock;
	if (place->data == data && place->parity == parity) {
		return place->table;
	}
	size_t size = TABLE_PER_CELL * data * parity;
	place->data = place->parity = 0;
	if (size > place->size) {
		uint8_t *grown = (uint8_t *)realloc(place->table, size);
		if (!grown) {
			return NULL;
		}
		place->table = grown;
		place->size = size;
	}
	uint8_t matrix[FEC_SHARDS_MAX * FEC_SHARDS_MAX / 4 + 1];
	cauchy_fill(data, parity, matrix);
	ec_init_tables((int)data, (int)parity, matrix, place->table);
	place->data = (uint16_t)data;
	place->parity = (uint16_t)parity;
	return place->table;
}

int fec_encode(struct fec_cache *cache, size_t data, size_t parity, size_t len,
		uint8_t *const *data_shards, uint8_t *const *parity_shards) {
	if (!shape_is_valid(data, parity, len)) {
		return -EINVAL;
	}
	uint8_t *tables = tables_for(cache, data, parity);
	if (!tables) {
		return -ENOMEM;
	}
	multiply(len, data, parity, tables, data_shards, parity_shards);
	return 0;
}

/* Which shards take part in a recovery. */
struct recovery {
	size_t data, lost;
	uint8_t lost_columns[FEC_SHARDS_MAX]; /* data shards to rebuild */
	uint8_t rows[FEC_SHARDS_MAX];         /* parity shards used for it */
};

static int recovery_plan(size_t data, size_t parity, const bool *present, struct recovery *out) {
	struct recovery plan = { .data = data };
	for (size_t column = 0; column < data; column++) {
		if (!present[column]) {
			plan.lost_columns[plan.lost++] = (uint8_t)column;
		}
	}
	size_t found = 0;
	for (size_t row = 0; row < parity && found < plan.lost; row++) {
		if (present[data + row]) {
			plan.rows[found++] = (uint8_t)row;
		}
	}
	if (found < plan.lost) {
		return -EBADMSG;
	}
	*out = plan;
	return 0;
}

/* Only the square of lost columns is inverted, not a matrix as large as the
 * block: a lost shard is that inverse times (parity + known columns * data).
 * Written as one row of factors for the sources: the known data shards where
 * they are, and in the place of each lost one a parity shard. */
static int recovery_factors(const struct recovery *plan, const uint8_t *matrix, uint8_t *factors) {
	size_t n = plan->lost, data = plan->data;
	OWN(free) void *memory = malloc(2 * n * n);
	if (!memory) {
		return -ENOMEM;
	}
	uint8_t *square = (uint8_t *)memory;
	uint8_t *inverse = square + n * n;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < n; j++) {
			square[i * n + j] = matrix[plan->rows[i] * data + plan->lost_columns[j]];
		}
	}
	if (gf_invert_matrix(square, inverse, (int)n) != 0) {
		return -EBADMSG;
	}
	for (size_t j = 0; j < n; j++) {
		uint8_t *row = factors + j * data;
		for (size_t column = 0; column < data; column++) {
			row[column] = 0;
			for (size_t i = 0; i < n; i++) {
				row[column] ^= gf_mul(inverse[j * n + i],
						matrix[plan->rows[i] * data + column]);
			}
		}
		for (size_t i = 0; i < n; i++) {
			row[plan->lost_columns[i]] = inverse[j * n + i];
		}
	}
	return 0;
}

static int recover(const uint8_t *matrix, size_t data, size_t parity, size_t len,
		uint8_t *const *shards, const bool *present) {
	struct recovery plan;
	int rc = recovery_plan(data, parity, present, &plan);
	if (rc < 0 || plan.lost == 0) {
		return rc;
	}
	size_t cells = plan.lost * data;
	OWN(free) void *memory = malloc(cells * (1 + TABLE_PER_CELL));
	if (!memory) {
		return -ENOMEM;
	}
	uint8_t *factors = (uint8_t *)memory;
	rc = recovery_factors(&plan, matrix, factors);
	if (rc < 0) {
		return rc;
	}
	uint8_t *sources[FEC_SHARDS_MAX], *rebuilt[FEC_SHARDS_MAX];
	memcpy(sources, shards, data * sizeof(*sources));
	for (size_t i = 0; i < plan.lost; i++) {
		sources[plan.lost_columns[i]] = shards[data + plan.rows[i]];
		rebuilt[i] = shards[plan.lost_columns[i]];
	}
	uint8_t *tables = factors + cells;
	ec_init_tables((int)data, (int)plan.lost, factors, tables);
	multiply(len, data, plan.lost, tables, sources, rebuilt);
	return 0;
}

int fec_decode(size_t data, size_t parity, size_t len, uint8_t *const *shards,
		const bool *present) {
	if (!shape_is_valid(data, parity, len)) {
		return -EINVAL;
	}
	OWN(free) void *matrix = malloc(data * parity);
	if (!matrix) {
		return -ENOMEM;
	}
	cauchy_fill(data, parity, (uint8_t *)matrix);
	return recover((const uint8_t *)matrix, data, parity, len, shards, present);
}

void fec_audio_encode(size_t len, uint8_t *const data_shards[FEC_AUDIO_DATA],
		uint8_t *const parity_shards[FEC_AUDIO_PARITY]) {
	uint8_t matrix[sizeof(audio_matrix)];
	uint8_t tables[sizeof(audio_matrix) * TABLE_PER_CELL];
	memcpy(matrix, audio_matrix, sizeof(matrix));
	ec_init_tables(FEC_AUDIO_DATA, FEC_AUDIO_PARITY, matrix, tables);
	multiply(len, FEC_AUDIO_DATA, FEC_AUDIO_PARITY, tables, data_shards, parity_shards);
}

int fec_audio_decode(size_t len, uint8_t *const shards[FEC_AUDIO_DATA + FEC_AUDIO_PARITY],
		const bool present[FEC_AUDIO_DATA + FEC_AUDIO_PARITY]) {
	return recover(audio_matrix, FEC_AUDIO_DATA, FEC_AUDIO_PARITY, len, shards, present);
}
