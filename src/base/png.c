/* SPDX-License-Identifier: MIT */
#include "cli/probe_png.h"

#include <errno.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"

enum {
	SIDE_MAX = 16384,
	IHDR_SIZE = 13,
	COLOUR_RGB = 2,
	COMPRESSION = 3, /* fast: this is evidence, not art */
};

static void chunk_write(FILE *file, const char *type, const uint8_t *data, size_t len) {
	uint8_t around[8];
	struct writer w = writer_over(around, sizeof(around));
	writer_be32(&w, (uint32_t)len);
	writer_copy(&w, type, 4);
	fwrite(around, 1, 8, file);
	if (len) {
		fwrite(data, 1, len, file);
	}
	uLong crc = crc32(crc32(0, NULL, 0), around + 4, 4);
	crc = len ? crc32(crc, data, (uInt)len) : crc;
	w = writer_over(around, 4);
	writer_be32(&w, (uint32_t)crc);
	fwrite(around, 1, 4, file);
}

int png_save(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height) {
	if (width == 0 || height == 0 || width > SIDE_MAX || height > SIDE_MAX) {
		return -EINVAL;
	}
	/* Each row is preceded by its filter: none. */
	size_t row = (size_t)width * 3;
	size_t raw_size = (row + 1) * height;
	uLongf packed_size = compressBound(raw_size);
	OWN(free) void *raw = malloc(raw_size);
	OWN(free) void *packed = malloc(packed_size);
	if (!raw || !packed) {
		return -ENOMEM;
	}
	for (uint32_t y = 0; y < height; y++) {
		uint8_t *at = (uint8_t *)raw + (row + 1) * y;
		at[0] = 0;
		memcpy(at + 1, rgb + row * y, row);
	}
	if (compress2(packed, &packed_size, raw, raw_size, COMPRESSION) != Z_OK) {
		return -ENOMEM;
	}
	uint8_t ihdr[IHDR_SIZE];
	struct writer w = writer_over(ihdr, sizeof(ihdr));
	writer_be32(&w, width);
	writer_be32(&w, height);
	writer_copy(&w, (const uint8_t[]){ 8, COLOUR_RGB, 0, 0, 0 }, 5);

	OWN(file_close) FILE *file = fopen(path, "wbe");
	if (!file) {
		return -errno;
	}
	fwrite("\x89PNG\r\n\x1a\n", 1, 8, file);
	chunk_write(file, "IHDR", ihdr, sizeof(ihdr));
	chunk_write(file, "IDAT", packed, packed_size);
	chunk_write(file, "IEND", NULL, 0);
	return fflush(file) != 0 || ferror(file) ? -EIO : 0;
}
