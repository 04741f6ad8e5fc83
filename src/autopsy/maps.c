/* SPDX-License-Identifier: MIT */
#include "autopsy/maps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Reads hex digits up to `stop` and steps over it. */
static bool take_hex(const char **at, char stop, uint64_t *out) {
	char *end;
	if (**at == '\0' || !strchr("0123456789abcdef", **at)) {
		return false;
	}
	*out = strtoull(*at, &end, 16);
	if (*end != stop) {
		return false;
	}
	*at = end + 1;
	return true;
}

bool maps_parse_head(const char *line, struct map *out) {
	*out = (struct map){ 0 };
	const char *at = line;
	if (!take_hex(&at, '-', &out->begin) || !take_hex(&at, ' ', &out->end) || strlen(at) < 6 ||
			at[4] != ' ') {
		return false;
	}
	out->readable = at[0] == 'r';
	out->writable = at[1] == 'w';
	out->executable = at[2] == 'x';
	out->shared = at[3] == 's';
	at += 5;
	if (!take_hex(&at, ' ', &out->offset)) {
		return false;
	}
	/* device, inode, blanks, path */
	for (int field = 0; field < 2; field++) {
		at += strcspn(at, " \n");
		at += strspn(at, " ");
	}
	size_t len = strcspn(at, "\n");
	text_format(out->path, sizeof(out->path), "%.*s", (int)len, at);
	return out->end > out->begin;
}

bool maps_flags_forbid(const char *line) {
	static const char *const forbid[] = { " dd", " io", " pf" };
	if (strncmp(line, "VmFlags:", 8) != 0) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(forbid); i++) {
		if (strstr(line, forbid[i])) {
			return true;
		}
	}
	return false;
}

bool maps_has_own_pages(const char *line) {
	return strncmp(line, "Anonymous:", 10) == 0 && strpbrk(line, "123456789") != NULL;
}

int maps_read(pid_t pid, struct maps *out) {
	char path[40], line[512];
	text_format(path, sizeof(path), "/proc/%d/smaps", pid);
	OWN(file_close) FILE *file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	*out = (struct maps){ .list = calloc(MAPS_MAX, sizeof(struct map)) };
	if (!out->list) {
		return -ENOMEM;
	}
	while (fgets(line, sizeof(line), file) && out->count < MAPS_MAX) {
		struct map map;
		if (maps_parse_head(line, &map)) {
			out->list[out->count++] = map;
		} else if (out->count > 0 && maps_flags_forbid(line)) {
			out->list[out->count - 1].secret = true;
		} else if (out->count > 0 && maps_has_own_pages(line)) {
			out->list[out->count - 1].changed = true;
		}
	}
	return 0;
}

void maps_finish(struct maps *maps) {
	free(maps->list);
	*maps = (struct maps){ 0 };
}
