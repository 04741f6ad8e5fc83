/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_RUNNER_H
#define SUPERVISOR_CONFIG_RUNNER_H

#include <stdbool.h>

#include "base/own.h"

struct config_app;
struct config_text;

/* What apps[].runner says: how an app is run. */

struct config_list {
	char **at; /* owned array of owned strings */
	unsigned count;
};

struct config_runner {
	int type; /* enum runner_type of ipc/message.h */
	bool network;
	char *folder;                   /* owned: to start in; NULL: the app's home */
	struct config_list env, mounts; /* NAME=VALUE; HOST:INSIDE[:ro|rw] */
	/* Of a container: */
	char *image;                       /* owned */
	struct config_list devices, ports; /* HOST[:INSIDE[:rwm]]; HOST:INSIDE[/udp] */
	char *base_create_json;            /* owned, NULL: nothing */
	bool gpu;                          /* the host's graphics devices */
};

/* The words of apps[].runner.type: process, sandbox, container; NULL for none. */
int config_runner_type(const char *text, struct config_runner *runner,
		struct config_text *error) NODISCARD;

/* Whether what an app's runner says fits together. */
int config_runner_check(const struct config_app *app, struct config_text *error) NODISCARD;

void config_runner_finish(struct config_runner *runner);

#endif
