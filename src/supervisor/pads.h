/* SPDX-License-Identifier: MIT */
#ifndef SUPERVISOR_PADS_H
#define SUPERVISOR_PADS_H

#include <stdbool.h>
#include <stddef.h>

#include "ipc/message.h"
#include "supervisor/pad_tree.h"

struct desk;
struct paths;

/* Gamepads, as far as they need what only the supervisor may: opening the device that they
 * are made with, and making nodes of them for apps that see no others. What is missing is
 * said once, and everything but gamepads goes on. */

/* PAD_DEVICE_ASK of a desk's desktop: opens the device node that gamepads are made with and
 * answers with it. The desktop names no file and cannot open one. */
void pads_open(struct desk *desk, const struct ipc_message *message);

/* The desk's folder of nodes (pad_tree.h), for an app in a sandbox or container; what
 * cannot be made is said when there is a gamepad for it. */
void pads_prepare(const struct desk *desk);
void pads_finish(struct desk *desk);

/* False when the desk's app has none. */
bool pads_folder(const struct desk *desk, char *out, size_t size);

/* PAD_MADE and PAD_GONE of its desktop. */
void pads_made(struct desk *desk, const char *name);
void pads_gone(struct desk *desk);

/* RUNNER_PID of its container's runner: whom to tell of devices. */
void pads_introduce(struct desk *desk, uint32_t pid);

/* Removes folders that are left over of this host, but those of desks for which stays()
 * (NULL for none) says so by their name, s-DESK. */
void pads_sweep(const struct paths *paths, bool (*stays)(const char *name, void *user), void *user);

#endif
