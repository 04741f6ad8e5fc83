/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_PNG_H
#define CLI_PROBE_PNG_H

#include <stdint.h>

#include "base/own.h"

/* Saves a picture of width * height RGB bytes as PNG (ISO/IEC 15948), over what was
 * there. -EINVAL for an empty picture, -ENOMEM, or why the file could not be written. */
int png_save(const char *file, const uint8_t *rgb, uint32_t width, uint32_t height) NODISCARD;

#endif
