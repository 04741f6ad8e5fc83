/* SPDX-License-Identifier: MIT */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills out from the kernel's generator. Cannot fail once the machine has
 * booted; aborts rather than hand out a guessable secret. */
void random_fill(void *out, size_t len);

uint32_t random_u32(void);

#endif
