/* SPDX-License-Identifier: MIT */
#ifndef CLI_DIRECT_H
#define CLI_DIRECT_H

#include <stdbool.h>

/* What `perigee` does with sessions, lobbies, tokens and events. Each prints what came of
 * it; the answer is an exit status: 0 done, 1 the host refused, 2 wrong usage, 3 no host. */

struct direct_options {
	const char *runtime; /* NULL: where it is by default */
	bool json;
	const char *name, *scope, *pin, *app, *run, *session, *role; /* NULL: not given */
	bool follow;
};

int direct_sessions(const struct direct_options *options, const char *verb, const char *id);
int direct_lobby(const struct direct_options *options, const char *verb, const char *id);
int direct_token(const struct direct_options *options, const char *verb, const char *id);

/* Prints events as they come, until the host or the person ends it. filter may be NULL. */
int direct_events(const struct direct_options *options, const char *filter);

/* The host's log: its last lines, with follow also those to come. */
int direct_logs(const struct direct_options *options);

/* The host at a glance, again each second while it is looked at; once when the output is no
 * terminal. */
int direct_top(const struct direct_options *options);

#endif
