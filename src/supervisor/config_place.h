/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFIG_PLACE_H
#define SUPERVISOR_CONFIG_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* Where configuration stands: for a person who is to mend it. */

/* The file that is read when no flag names one: the first that exists. False: none does. */
bool config_place_usual(char *out, size_t size);

/* The line on which a key of the file stands: "limits.sessions", "apps[2].title";
 * which is the third line with a title. 0 when it is not found. */
unsigned config_place_line(const char *path, const char *key);

#endif
