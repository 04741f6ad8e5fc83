/* SPDX-License-Identifier: MIT */
#include "base/png.h"

#include <errno.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"

enum {
	SIDE_MAX = 16384,
	IHDR_SIZE = 13,
	COLOUR_RGB = 2,
	COMPRESSION = 3, /* fast: this is evidence, not art */
	CHUNK_SIZE = 12, /* of one without its data */
	AROUND_SIZE = 8 + 3 * CHUNK_SIZE + IHDR_SIZE,
};

/* data is in place already when it is NULL. */
static void chunk_write(struct writer *w, const char *type, const uint8_t *data, size_t len) {
	writer_be32(w, (uint32_t)len);
	const uint8_t *begin = w->at;
	writer_copy(w, type, 4);
	if (data) {
		writer_copy(w, data, len);
	} else {
		writer_take(w, len);
	}
	writer_be32(w, (uint32_t)crc32(crc32(0, NULL, 0), begin, (uInt)(len + 4)));
}

/* Each row is preceded by its filter: none. */
static uint8_t *filtered(const uint8_t *rgb, uint32_t width, uint32_t height, size_t *out_size) {
	size_t row = (size_t)width * 3;
	uint8_t *raw = malloc((row + 1) * height);
	for (uint32_t y = 0; raw && y < height; y++) {
		uint8_t *at = raw + (row + 1) * y;
		at[0] = 0;
		memcpy(at + 1, rgb + row * y, row);
	}
	*out_size = (row + 1) * height;
	return raw;
}

int png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out,
		size_t *out_size) {
	if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX) {
		return -EINVAL;
	}
	size_t raw_size;
	OWN(free) void *raw = filtered(rgb, width, height, &raw_size);
	uLongf packed_size = compressBound(raw_size);
	OWN(free) void *file = malloc(AROUND_SIZE + packed_size);
	/* The packed bytes lie where they will be: behind signature, IHDR, and IDAT's head. */
	uint8_t *packed = file ? (uint8_t *)file + 8 + CHUNK_SIZE + IHDR_SIZE + 8 : NULL;
	if (!raw || !file || compress2(packed, &packed_size, raw, raw_size, COMPRESSION) != Z_OK) {
		return -ENOMEM;
	}
	uint8_t ihdr[IHDR_SIZE];
	struct writer w = writer_over(ihdr, sizeof(ihdr));
	writer_be32(&w, width);
	writer_be32(&w, height);
	writer_copy(&w, (const uint8_t[]){ 8, COLOUR_RGB, 0, 0, 0 }, 5);

	w = writer_over(file, AROUND_SIZE + packed_size);
	writer_copy(&w, "\x89PNG\r\n\x1a\n", 8);
	chunk_write(&w, "IHDR", ihdr, sizeof(ihdr));
	chunk_write(&w, "IDAT", NULL, packed_size);
	chunk_write(&w, "IEND", (const uint8_t *)"", 0);
	*out_size = AROUND_SIZE + packed_size;
	*out = (uint8_t *)TAKE(file, NULL);
	return 0;
}

int png_save(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height) {
	uint8_t *bytes = NULL;
	size_t size;
	int rc = png_encode(rgb, width, height, &bytes, &size);
	OWN(free) void *owned = bytes;
	if (rc < 0) {
		return rc;
	}
	OWN(file_close) FILE *file = fopen(path, "wbe");
	if (!file) {
		return -errno;
	}
	fwrite(owned, 1, size, file);
	return fflush(file) != 0 || ferror(file) ? -EIO : 0;
}
