/* SPDX-License-Identifier: MIT */
#ifndef BASE_SHM_H
#define BASE_SHM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

/* A block of memory that two processes map. Its size is sealed, so the other
 * side cannot shrink it under us. */
struct shm {
	int fd;       /* owned; the peer gets a duplicate over the channel; -1 when closed */
	uint8_t *map; /* owned mapping of the whole block, NULL until mapped */
	size_t size;  /* bytes */
};

#define SHM_NONE \
	(struct shm) { \
		.fd = -1 \
	}

/* Makes a zeroed block of size bytes, mapped for writing here. With
 * readers_only, every later mapping can only be read-only
 * (F_SEAL_FUTURE_WRITE). out is SHM_NONE on failure. */
int shm_create(const char *name, size_t size, bool readers_only, struct shm *out) NODISCARD;

/* Maps a peer's block. The peer is not trusted: the block must be a memfd that
 * is sealed against shrinking and at least min_size long. Takes fd on success
 * only. -EPROTO for a block that is not as it must be. */
int shm_adopt(int fd, size_t min_size, bool writable, struct shm *out) NODISCARD;

/* Unmaps and closes; harmless on SHM_NONE. */
void shm_finish(struct shm *shm);

#endif
