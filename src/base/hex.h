/* SPDX-License-Identifier: MIT */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Decodes text_len hex digits of either case into out, which has room for
 * text_len / 2 bytes. -EBADMSG for an odd count or a foreign character. */
int hex_decode(const char *text, size_t text_len, uint8_t *out) NODISCARD;

/* Writes 2 * len upper-case digits and a NUL to out. */
void hex_encode(const void *data, size_t len, char *out);

#endif
