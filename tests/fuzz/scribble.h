/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FUZZ_SCRIBBLE_H
#define TESTS_FUZZ_SCRIBBLE_H

#include <stdint.h>

#include "base/bytes.h"

/* Lays a list of {be32 place, byte length, bytes} over so many bytes of memory: what somebody
 * who went mad, or was killed while writing, leaves in what is shared. */
static inline void scribble(uint8_t *over, size_t size, struct reader list) {
	while (list.left >= 5) {
		size_t at = reader_be32(&list) % size;
		size_t len = reader_u8(&list);
		len = len < list.left ? len : list.left;
		len = len < size - at ? len : size - at;
		reader_copy(&list, over + at, len);
	}
}

#endif
