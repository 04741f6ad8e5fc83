/* SPDX-License-Identifier: MIT */
#ifndef BASE_CHILDREN_H
#define BASE_CHILDREN_H

#include <sys/types.h>

#include "base/own.h"

/* Calls each() for every child of every thread of the process `parent`, and returns how
 * many there were. A process that is forked at that moment may be missed. A child stays
 * one until it is reaped, so that a parent which is not reaping meanwhile can signal
 * what it is told here. -errno when the kernel does not say: no such process, or /proc
 * without children files. */
int children_each(pid_t parent, void (*each)(pid_t child, void *user), void *user) NODISCARD;

#endif
