/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_CORE_H
#define AUTOPSY_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

struct target;

struct core_options {
	size_t size_max;        /* bytes of memory written */
	bool heap;              /* whole anonymous memory, where no key can be */
	const uint8_t *secrets; /* borrowed: 16 bytes each, never to be written */
	size_t n_secrets;
};

struct core_result {
	size_t written;                        /* bytes of memory */
	size_t left_out_secret, left_out_size; /* mappings */
};

/* Writes an ELF core that gdb reads. In it are general registers (no vector registers:
 * they hold round keys), the stacks from the stack pointer on, the data of programs and
 * libraries, and the heap if options say so. Not in it: what is marked MADV_DONTDUMP,
 * what is shared with others, and the secrets, in binary or hex, wherever they lie. */
int core_write(const struct target *target, const struct core_options *options, int fd,
		struct core_result *out) NODISCARD;

#endif
