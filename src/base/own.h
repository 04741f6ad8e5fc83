/* SPDX-License-Identifier: MIT */
#ifndef BASE_OWN_H
#define BASE_OWN_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Ownership in two words: an OWN() local is released when it leaves scope,
 * unless TAKE() moved it out first. */
#define OWN(release) __attribute__((cleanup(own_##release)))

#define OWN_DEFINE(type, release) \
	static inline void own_##release(type *owned) { \
		release(*owned); \
	}

#define TAKE(owned, empty) \
	({ \
		__typeof__(owned) taken_ = (owned); \
		(owned) = (empty); \
		taken_; \
	})

#define NODISCARD __attribute__((warn_unused_result))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of which `pointer` is the member named `member`. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Closes fd unless it is negative; keeps errno. */
static inline void fd_close(int fd) {
	if (fd >= 0) {
		int saved = errno;
		close(fd);
		errno = saved;
	}
}

/* Closes *fd and marks it closed, so that doing it twice is harmless. */
static inline void fd_release(int *fd) {
	fd_close(*fd);
	*fd = -1;
}

OWN_DEFINE(int, fd_close)
OWN_DEFINE(void *, free)

static inline void file_close(FILE *file) {
	if (file) {
		fclose(file);
	}
}

OWN_DEFINE(FILE *, file_close)

#endif
