/* SPDX-License-Identifier: MIT */
#ifndef MEDIA_JPEG_H
#define MEDIA_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Pictures of width * height RGB bytes as JPEG (JFIF, colours as fine as brightness, so that
 * letters stay sharp). Any thread. */

enum {
	JPEG_SIDE_MAX = 16384,
	JPEG_SCALE = 3, /* libavcodec's quantiser, 1 (best) to 31 */
};

/* *out (owned by the caller, free()) becomes the file's bytes. -EINVAL for an empty picture,
 * an odd side or one above JPEG_SIDE_MAX; -ENOTSUP where this build has no libavcodec; -ENOMEM;
 * -EIO for what libavcodec says. */
int jpeg_encode(const uint8_t *rgb, uint32_t width, uint32_t height, uint8_t **out,
		size_t *out_size) NODISCARD;

#endif
