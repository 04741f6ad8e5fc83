/* SPDX-License-Identifier: MIT */
#include "cli/probe_follow.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int follow_read(struct follow *follow, int fd, struct script *out) {
	size_t room = sizeof(follow->text) - follow->len;
	if (room == 0) {
		return -EBADMSG;
	}
	ssize_t n = read(fd, follow->text + follow->len, room);
	if (n <= 0) {
		return n < 0 ? -errno : -ENODATA;
	}
	follow->len += (size_t)n;
	const char *last = memrchr(follow->text, '\n', follow->len);
	if (!last) {
		return 0;
	}
	size_t whole = (size_t)(last - follow->text) + 1, line = 0;
	int rc = script_parse((struct span){ follow->text, whole }, out, &line);
	follow->len -= whole;
	memmove(follow->text, follow->text + whole, follow->len);
	return rc < 0 ? rc : 1;
}
