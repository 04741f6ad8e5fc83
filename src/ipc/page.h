/* SPDX-License-Identifier: MIT */
#ifndef IPC_PAGE_H
#define IPC_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/own.h"
#include "base/shm.h"

/* The takeover page: what a stream's successor needs to go on, written as a log
 * because SIGKILL tears. Two places and a generation: the older place is
 * overwritten, then its generation is set; a reader takes the newest place whose
 * checksum is right. The stream commits *before* the bytes that depend on it
 * leave. The content is the stream's own flat layout (stream/takeover.h). */

enum {
	PAGE_LAYOUT = 1,
	PAGE_PLACE_SIZE = 128 * 1024,
	PAGE_CONTENT_MAX = PAGE_PLACE_SIZE - 64,
	PAGE_SIZE = 2 * PAGE_PLACE_SIZE,
};

/* A fresh page; the supervisor keeps it, the stream gets a duplicate of fd. Its
 * memory is left out of core dumps: it holds keys. */
int page_create(struct shm *out) NODISCARD;

/* Maps a page for writing; takes fd on success. */
int page_open(int fd, struct shm *out) NODISCARD;

/* -ENOSPC beyond PAGE_CONTENT_MAX. */
int page_commit(struct shm *page, const void *content, size_t size) NODISCARD;

/* Copies the newest whole content to out of size bytes and returns its length;
 * -ENOENT when nothing was ever committed. */
int page_read(const struct shm *page, void *out, size_t size) NODISCARD;

#endif
