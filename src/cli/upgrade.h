/* SPDX-License-Identifier: MIT */
#ifndef CLI_UPGRADE_H
#define CLI_UPGRADE_H

#include <stdbool.h>

#include "cli/api.h"

struct upgrade_options {
	bool check;           /* only say what would happen */
	const char *from;     /* borrowed; NULL: where the host's programs are */
	const char *deadline; /* seconds, NULL for the host's default */
};

/* The body of the call; NULL when the deadline is no number of seconds. */
json_t *upgrade_body(const struct upgrade_options *options);

/* After the host's answer: says what it is, and waits for how it ends. 0 when it went, or
 * would go, well. */
int upgrade_follow(
		const struct api *api, const struct upgrade_options *options, const json_t *answer);

#endif
