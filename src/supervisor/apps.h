/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APPS_H
#define SUPERVISOR_APPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/config.h"

/* The apps that Moonlight lists: ours, then the configured ones. */

enum {
	APPS_MAX = CONFIG_APPS_MAX + 4, /* with our own */
};

struct app {
	int32_t id;
	const char *title;          /* borrowed from the table or the config */
	const char *const *command; /* borrowed, command_count words */
	unsigned command_count;
	bool hdr;
	bool restart;           /* with its desktop, when that dies */
	bool normal_privileges; /* not confined */
	const struct config_runner *runner; /* borrowed; NULL: nothing was said */
	bool installed;
	bool hidden;       /* nobody is shown it, and only the readiness trial launches it */
	char program[256]; /* full path when installed */
	char why_not[160]; /* else: what to install */
};

struct apps {
	struct app list[APPS_MAX];
	unsigned count; /* the last one is the trial's */
	unsigned trial; /* its place */
};

/* Looks every program up; libexec is searched before PATH. */
void apps_settle(const struct config *config, const char *libexec, struct apps *out);

const struct app *apps_find(const struct apps *apps, int32_t id);

#endif
