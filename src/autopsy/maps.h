/* SPDX-License-Identifier: MIT */
#ifndef AUTOPSY_MAPS_H
#define AUTOPSY_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/own.h"

enum {
	MAPS_MAX = 4096,
};

/* One mapping of a process, from /proc/PID/smaps. */
struct map {
	uint64_t begin, end, offset;
	bool readable, writable, executable, shared;
	bool changed; /* it has pages of its own: a file's content is not all */
	bool secret;  /* MADV_DONTDUMP, or memory of a device: never to be written down */
	char path[200];
};

struct maps {
	struct map *list; /* owned */
	size_t count;
};

int maps_read(pid_t pid, struct maps *out) NODISCARD;
void maps_finish(struct maps *maps);

/* One line of smaps that begins a mapping; false for any other. */
bool maps_parse_head(const char *line, struct map *out);

/* "Anonymous: 4 kB": whether there are any. */
bool maps_has_own_pages(const char *line);

/* "VmFlags: rd wr dd": whether one of them forbids a dump. */
bool maps_flags_forbid(const char *line);

#endif
