/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_KEYS_H
#define SUPERVISOR_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shm.h"

/* The hashes of session keys that were used: a second use would repeat AES-GCM
 * nonces (protocol.md 12.1, 12). They lie in a memfd that the holder keeps, so
 * that neither the gate's nor the supervisor's death forgets them; never on disk. */

enum {
	KEYS_MAX = 16384, /* the oldest is forgotten first */
};

struct keys {
	struct shm shm;
};

int keys_create(struct keys *out) NODISCARD;

/* Takes fd on success. */
int keys_open(int fd, struct keys *out) NODISCARD;
void keys_finish(struct keys *keys);

bool keys_contain(const struct keys *keys, const uint8_t hash[32]);
void keys_add(struct keys *keys, const uint8_t hash[32]);

#endif
