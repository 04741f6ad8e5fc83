/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_APP_ENV_H
#define SUPERVISOR_APP_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/own.h"

struct config_runner;

/* The environment of an app: closed, with what programs and container images expect, the
 * names of Perigee's predecessors included. Pure. */

struct app_env {
	uint64_t session;
	const char *home, *runtime, *sound; /* borrowed; as the app sees them */
	const char *socket;                 /* borrowed: its desktop's own, NULL for none */
	const char *x_display;              /* borrowed: ":0", or "" for none */
	unsigned width, height, rate_mhz;   /* of its desktop */
	const struct config_runner *runner; /* borrowed; NULL: nothing is configured */
	bool container;                     /* paths and a search path are the image's */
	unsigned uid, gid;                  /* inside a container: whose its files are */
};

/* Writes NUL-terminated NAME=VALUE, each name once: what only a session knows, then what
 * is configured, then what is usual. -E2BIG when out is too small. */
int app_env_write(const struct app_env *env, char *out, size_t size, uint16_t *out_len) NODISCARD;

#endif
