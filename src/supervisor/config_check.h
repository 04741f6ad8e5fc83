/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_CHECK_H
#define SUPERVISOR_CONFIG_CHECK_H

#include "base/own.h"

struct config;
struct config_text;

/* Checks what no schema can: ranges, paths, names, duplicates, ids. Gives apps without an id
 * theirs. The error begins with the key. */
int config_check(struct config *config, struct config_text *out_error) NODISCARD;

/* Says with such an error where its value was given: the file's line, or the variable. */
void config_add_place(const struct config *config, struct config_text *error);

#endif
