/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_FOLLOW_H
#define CLI_PROBE_FOLLOW_H

#include <stddef.h>

#include "base/own.h"
#include "cli/probe_script.h"

/* A script that is written while it is played: lines that come on a descriptor, each to be
 * done as it comes, whatever its ms says. */
enum {
	FOLLOW_LINE_MAX = 1024,
};

struct follow {
	char text[FOLLOW_LINE_MAX]; /* of a line that is not whole yet */
	size_t len;
};

/* Reads what is there. 1: out has the whole lines (script_finish()), 0: there are none yet,
 * -ENODATA: the other side has closed it, -EBADMSG for a line that is none, -errno. */
int follow_read(struct follow *follow, int fd, struct script *out) NODISCARD;

#endif
