/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "base/own.h"
#include "base/text.h"
#include "unit.h"

/* A folder of a test's own, and its end with all that lies in it. */

static inline void folder_make(char *folder, size_t size, const char *name) {
	text_format(folder, size, "/tmp/perigee-%s-XXXXXX", name);
	assert_non_null(mkdtemp(folder));
}

static inline int folder_remove_entry(
		const char *path, const struct stat *st, int type, struct FTW *at) {
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* 0, or not 0 when something of it stays. */
static inline int folder_remove(const char *folder) {
	return nftw(folder, folder_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* A file, with its mode; the other is not there yet. */
static inline void folder_copy_file(const char *from, const char *to) {
	struct stat st;
	OWN(fd_close) int in = open(from, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(in, &st), 0);
	OWN(fd_close) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, st.st_mode);
	for (off_t at = 0; at < st.st_size;) {
		assert_true(sendfile(out, in, &at, (size_t)(st.st_size - at)) > 0);
	}
}

#endif
