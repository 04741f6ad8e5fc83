/* SPDX-License-Identifier: MIT */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <jansson.h>

/* `perigee config check [FILE]`: perigeed says whether it is good. Does not return unless
 * there is no perigeed: -errno then. */
int config_check_command(const char *libexec, const char *file);

/* Becomes another program of ours with two arguments. Does not return, likewise. */
int config_run(const char *libexec, const char *program, const char *first, const char *second);

/* The rows of the status, for a person. */
void config_show(const json_t *rows);
void config_show_reloaded(const json_t *answer);

#endif
