/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_HOMES_H
#define SUPERVISOR_HOMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/own.h"

struct desk;

/* Where apps keep what they write: one home for each client and app, for each profile and what
 * its lobbies name, or one that goes with its desk. */

/* A folder's name out of any text: what is not a letter, digit or '-' becomes '_'. With `apart`
 * texts that would become the same, or are cut, get different names. Pure. */
void homes_name(const char *text, bool apart, char *out, size_t size);

/* Makes the home of a desk's app, and says where it is. -EPERM when it is somebody else's. */
int homes_make(const struct desk *desk, char *out, size_t size) NODISCARD;

#endif
