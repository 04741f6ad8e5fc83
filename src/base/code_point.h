/* SPDX-License-Identifier: MIT */
#ifndef BASE_CODE_POINT_H
#define BASE_CODE_POINT_H

#include <stddef.h>
#include <stdint.h>

/* How many of the left bytes at hold the well-formed code point of UTF-8 (RFC 3629, section 4)
 * that begins there, 1 to 4; 0 when none does. NUL is none. Pure; any thread. */
size_t code_point_length(const uint8_t *at, size_t left);

#endif
