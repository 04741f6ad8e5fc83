/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROBE_HOST_H
#define CLI_PROBE_HOST_H

#include <stdint.h>

#include "cli/probe.h"
#include "proto/launch.h"

/* Moonlight's requests over HTTP and HTTPS. Each one notes its time in the report and,
 * when it fails, why (probe_fail()). */
enum {
	PROBE_APPS_MAX = 256,
	PROBE_TITLE_MAX = 128,
};

struct probe_app {
	int32_t id;
	bool hdr;
	char title[PROBE_TITLE_MAX];
};

struct probe_apps {
	struct probe_app app[PROBE_APPS_MAX];
	size_t count;
};

/* HTTP first, then HTTPS when a host is pinned, as clients do. Fills probe->host. */
int probe_host_info(struct probe *probe) NODISCARD;

/* -ECANCELED also when this client is not paired. */
int probe_host_apps(struct probe *probe, struct probe_apps *out) NODISCARD;

/* The app that --app names, else the one that runs, else the first one. */
int probe_host_choose(struct probe *probe, const struct probe_apps *apps,
		struct probe_app *out) NODISCARD;

/* Saves the picture when --out was given. */
int probe_host_art(struct probe *probe, int32_t app) NODISCARD;

/* /launch or /resume; url has room for `size` bytes. */
int probe_host_launch(struct probe *probe, const struct launch_query *query, bool resume, char *url,
		size_t size) NODISCARD;

/* /cancel, and a look whether nothing runs any more. */
int probe_host_quit(struct probe *probe) NODISCARD;

/* All phases of pairing, with --pin. */
int probe_host_pair(struct probe *probe) NODISCARD;

/* Asks for target with this client's ids in the query, and for a root status of 200. */
int probe_host_ask(struct probe *probe, struct probe_http *http, const char *step, const char *path,
		const char *query, uint32_t limit_ms, struct probe_answer *out) NODISCARD;

#endif
