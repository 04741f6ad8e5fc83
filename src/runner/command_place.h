/* SPDX-License-Identifier: MIT */
#ifndef RUNNER_COMMAND_PLACE_H
#define RUNNER_COMMAND_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	COMMAND_CLOSED_MAX = 8,
};

/* What the runner itself was started with. */
struct command_place {
	char exec[PATH_MAX];                    /* perigee-exec */
	const char *closed[COMMAND_CLOSED_MAX]; /* borrowed: folders no app may see */
	const char *libexec; /* borrowed: folders of our programs, colon separated; NULL: none */
	size_t n_closed;
	bool normal; /* the app keeps whatever its user may */
};

/* --libexec DIR:DIR..., --privileges confined|normal, and any number of --closed DIR; finds
 * perigee-exec in the folders, or beside this program. False, and a log line, when something
 * else is given or it is nowhere. */
bool command_place_parse(struct command_place *place, char **argv);

#endif
