/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_HELPER_H
#define SUPERVISOR_HELPER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/own.h"

struct helper_fd {
	int fd;     /* borrowed; -1: it gets none */
	int number; /* that it has there; no fd of the same call has it here */
};

/* Starts a small helper of ours, in a group of its own: it reads nothing, has nothing to write to
 * but our error output and these descriptors, and an environment of two words. argv ends with
 * NULL. -errno, and then *out_pid is as it was. */
int helper_spawn(const char *file, const char *const *argv, const struct helper_fd *fds,
		size_t count, pid_t *out_pid) NODISCARD;

#endif
