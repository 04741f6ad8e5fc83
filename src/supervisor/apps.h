/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APPS_H
#define SUPERVISOR_APPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"
#include "supervisor/config.h"

/* The apps that Moonlight lists: ours, then the configured ones. */

struct app {
	int32_t id;
	const char *title;          /* borrowed from the table or the config */
	const char *const *command; /* borrowed, command_count words */
	unsigned command_count;
	bool hdr;
	bool normal_privileges; /* not confined */
	bool installed;
	char program[256]; /* full path when installed */
	char why_not[160]; /* else: what to install */
};

struct apps {
	struct app list[CONFIG_APPS_MAX + 3];
	unsigned count;
};

/* Looks every program up; libexec is searched before PATH. */
void apps_settle(const struct config *config, const char *libexec, struct apps *out);

const struct app *apps_find(const struct apps *apps, int32_t id);

#endif
