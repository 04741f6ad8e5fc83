/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_RELOAD_H
#define SUPERVISOR_RELOAD_H

#include <stddef.h>

struct config;
struct ipc_message;
struct supervisor;

/* The configuration read again while Perigee runs. What is wrong changes nothing; what is
 * right takes effect where it can, without ending anything, and the rest is named. */

/* Takes the keys of `fresh` that may change at once (config_keys.h), and its apps. The
 * names of the others that differ are listed, comma separated. For a supervisor that
 * takes over as well: what its predecessor had taken since its start. */
void reload_take(struct config *running, struct config *fresh, char *applied, size_t applied_size,
		char *restart, size_t restart_size);

/* CONFIG_RELOAD: answers CONFIG_RELOADED. */
void reload_handle(struct supervisor *supervisor, const struct ipc_message *message);

#endif
