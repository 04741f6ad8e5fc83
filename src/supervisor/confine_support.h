/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_CONFINE_SUPPORT_H
#define SUPERVISOR_CONFINE_SUPPORT_H

#include <stdbool.h>

/* What this kernel, as we may use it, has to confine workers with. */
struct confine_support {
	int landlock; /* ABI, 0: none */
	bool seccomp;
	bool veils;        /* mount namespaces, by root or by a user namespace */
	char missing[280]; /* for a person: what is missing and what it means; "" for nothing */
};

void confine_support_look(struct confine_support *out);

/* Writes the words for what was found; a pure function for the tests. */
void confine_support_say(struct confine_support *support);

#endif
