/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PAD_ANNOUNCE_H
#define SUPERVISOR_PAD_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/own.h"

struct udev_device;

/* Tells the apps of a container of device nodes that came and went, as its udev would if
 * it had one: on a netlink socket that is in the container's network. */

/* A socket in the network of process pid. -EEXIST when that is ours, where the real udev
 * is heard; else -errno: -EPERM where we may not enter it. */
int pad_announce_open(uint32_t pid) NODISCARD;

/* Nobody has to listen. -EPERM: we may not speak there. */
int pad_announce(int fd, const struct udev_device *device, bool added, uint64_t sequence,
		uint64_t since_us) NODISCARD;

#endif
