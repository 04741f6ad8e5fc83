/* SPDX-License-Identifier: MIT */
#ifndef CLI_DIRECT_H
#define CLI_DIRECT_H

#include <stdbool.h>

/* What `perigee` does with sessions, lobbies and tokens. Each prints what came of
 * it; the answer is an exit status: 0 done, 1 the host refused, 2 wrong usage, 3 no host. */

struct direct_options {
	const char *runtime; /* NULL: where it is by default */
	bool json;
	const char *name, *scope, *pin, *app, *run, *session, *role; /* NULL: not given */
};

int direct_sessions(const struct direct_options *options, const char *verb, const char *id);
int direct_lobby(const struct direct_options *options, const char *verb, const char *id);
int direct_token(const struct direct_options *options, const char *verb, const char *id);

#endif
