/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_FOLDER_H
#define AUTOPSY_FOLDER_H

#include <stdint.h>
#include <stdio.h>

#include "base/own.h"

/* The evidence folder: one folder in it for each incident, named by time, kind, pid and
 * reason, so that names sort by time. Everything is done below an open descriptor,
 * following no link: whoever owns the folder above may not lead us elsewhere. */

enum {
	FOLDER_NAME_MAX = 96,
};

/* Opens it, makes it if need be. -EPERM when it belongs to somebody else. */
int folder_open(const char *path) NODISCARD;

/* Makes room: removes the oldest while there are `count` or more, or more than `bytes`.
 * Snapshots (`suffix` "-snapshot") and incidents (NULL) are counted apart. */
int folder_rotate(int folder, const char *suffix, unsigned count, uint64_t bytes) NODISCARD;

/* Makes the folder of one incident; returns its descriptor. */
int folder_add(int folder, const char *name) NODISCARD;

/* A new file in it, for writing. NULL with errno. */
FILE *folder_file(int incident, const char *name);

/* Bytes that everything below it takes. */
uint64_t folder_size(int folder, const char *name);

#endif
