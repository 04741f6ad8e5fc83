/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_FILTER_H
#define SUPERVISOR_FILTER_H

#include <stdbool.h>

#include "base/own.h"
#include "supervisor/confine_table.h"

/* The seccomp filter of a row, compiled by libseccomp. */

/* False where the kernel has no filters. */
bool filter_available(void);

/* A memfd with the BPF program for the row, with or without what starting takes.
 * -ENOTSUP when the row has no filter or the kernel none. */
int filter_compile(const struct confine_row *row, bool starting, int *out_fd) NODISCARD;

/* Installs it for good. Needs no_new_privs. With `audited`, what it refuses is in the
 * kernel's audit log. */
int filter_enter(int fd, bool audited) NODISCARD;

#endif
