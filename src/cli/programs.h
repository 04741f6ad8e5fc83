/* SPDX-License-Identifier: MIT */
#ifndef CLI_PROGRAMS_H
#define CLI_PROGRAMS_H

#include <stddef.h>

#include "base/own.h"

/* Where another program of Perigee lies, seen from this one: in a build folder it is a
 * neighbour, or in a room beside; installed, also below a staging folder, it is as far from here as it was
 * meant to be; else it is where it was to be installed. */

/* Looks for an executable `name` in folders (separated by colons, NULL or "" for none),
 * then in own_folder, where this program is, then as above. -ENOENT when there is none. */
int program_find(const char *folders, const char *own_folder, const char *name, char *out,
		size_t size) NODISCARD;

/* The folder of the program that calls. -errno when the kernel does not say. */
int program_own_folder(char *out, size_t size) NODISCARD;

#endif
