/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <jansson.h>

/* `perigee config check [FILE]`: perigeed says whether it is good. Does not return unless
 * there is no perigeed: -errno then. */
int config_check_command(const char *libexec, const char *file);

/* `perigee backup FILE`: a copy of that state folder. Does not return, likewise. */
int backup_command(const char *libexec, const char *folder, const char *file);

/* The rows of the status, for a person. */
void config_show(const json_t *rows);
void config_show_reloaded(const json_t *answer);

#endif
