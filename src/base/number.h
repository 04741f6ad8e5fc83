/* SPDX-License-Identifier: MIT */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* Reads len characters as one decimal number between min and max, with an
 * optional leading '-'. Nothing else may stand there: no blank, no '+', no
 * empty text. -EBADMSG, or -ERANGE when the number is outside. */
int number_parse(const char *text, size_t len, int64_t min, int64_t max, int64_t *out) NODISCARD;

#endif
