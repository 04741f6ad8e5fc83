/* SPDX-License-Identifier: MIT */
#ifndef BASE_PNG_H
#define BASE_PNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Pictures of width * height RGB bytes as PNG (ISO/IEC 15948). A library by itself,
 * because only few of our programs link zlib. Any thread. */

/* *out (owned by the caller, free()) becomes the file's bytes. -EINVAL for an empty
 * picture or one of a side above 16384, -ENOMEM. */
int png_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out,
		size_t *out_size) NODISCARD;

/* The same into a file, over what was there; also why that could not be written. */
int png_save(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height) NODISCARD;

#endif
