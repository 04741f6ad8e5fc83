/* SPDX-License-Identifier: MIT */
#ifndef STORE_COPY_H
#define STORE_COPY_H

#include "base/own.h"

enum {
	COPY_DETAIL_MAX = 300,
};

/* A whole and checked copy of folder/state.db as `file` (mode 0600), while the host
 * runs or not; what was there under that name is replaced only by a whole one. On
 * failure out_detail says what is wrong and what to do. */
int state_copy(const char *folder, const char *file, char *out_detail) NODISCARD;

#endif
