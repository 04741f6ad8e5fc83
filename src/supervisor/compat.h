/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_COMPAT_H
#define SUPERVISOR_COMPAT_H

#include <stddef.h>

#include "base/own.h"

/* Whether one version can go on with what another has in memory. The running one says how
 * what it has lies there, as words NAME=NUMBER; the new one, which alone knows what it can
 * read of older ones, judges. */

enum {
	COMPAT_FACTS_MAX = 256,
};

void compat_facts(char *out, size_t size);

/* -EPROTO with a sentence for a person when this version cannot go on with that. */
int compat_judge(const char *facts, char *out_words, size_t size) NODISCARD;

#endif
